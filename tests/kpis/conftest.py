"""The demonstration clients, loaded and computed once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kpibook import intake, params, plugins
from kpibook.engine.compute import Loaded, Results, compute

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpibook.catalog import Catalog
    from kpibook.params import Params

    Compute = Callable[[Params, Catalog], Results]

PARAMS = Path(__file__).parents[2] / "params"


@pytest.fixture(scope="session")
def compute_client() -> Compute:
    """``compute_client(params, catalog)``: the client's files read anew, and every KPI of the catalogue."""

    def computed(client: Params, catalog: Catalog) -> Results:
        found = intake.load(client)
        supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in found.facts.items()}
        rows = {name: facts.rows for name, facts in found.facts.items()}
        assert found.data_start is not None
        assert found.data_end is not None
        return compute(catalog, client, Loaded(found.con, supplied, rows, found.data_start, found.data_end))

    return computed


@pytest.fixture(scope="session")
def complete_journey(compute_client: Compute) -> Results:
    return compute_client(params.load(PARAMS / "complete_journey.yaml"), plugins.discover().catalog)


@pytest.fixture(scope="session")
def cdnow(compute_client: Compute, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """From a copy of the params file that points at the session's own samples."""
    text = (PARAMS / "cdnow.yaml").read_text(encoding="utf-8")
    own = tmp_path_factory.mktemp("cdnow") / "cdnow.yaml"
    own.write_text(text.replace("../data/cdnow", str(samples / "cdnow")), encoding="utf-8")
    return compute_client(params.load(own), plugins.discover().catalog)
