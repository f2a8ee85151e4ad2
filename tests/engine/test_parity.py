"""Every KPI on PostgreSQL has the figures that it has on DuckDB, to 1e-9, and says the same of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ibis
import pandas as pd
import pytest
from simulations.population import population

import parity
from intake import postgres_server
from intake.postgres_server import ADMIN, Server
from kpibook import book, intake, params
from kpibook.engine.compute import Results, compute
from kpibook.plugins import discover

PARAMS = Path(__file__).parents[2] / "params"
#: One customer of so many is enough for every KPI to have a figure.
EVERY = 16
HOUSEHOLDS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server.running() as found:
        yield found


@pytest.fixture
def postgres(server: Server) -> Iterator[ibis.BaseBackend]:
    own = {"user": "admin", "password": ADMIN, "database": "postgres"}
    backend = ibis.postgres.connect(host="127.0.0.1", port=server.port, **own)
    yield backend
    backend.disconnect()


def test_every_kpi_of_marea(samples: Path, tmp_path: Path, postgres: ibis.BaseBackend) -> None:
    """By total and by channel, on a sixteenth of the customers: 133 KPIs, none failed, none without its tables."""
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8")
    (tmp_path / "marea.yaml").write_text(text.replace("../data/marea", str(samples / "marea")), encoding="utf-8")
    people = population(tmp_path / "marea.yaml", tmp_path / "population.duckdb")
    client = params.load(tmp_path / "marea.yaml").model_copy(update={"breakdowns": ("channel",)})
    loaded = people.part(EVERY)
    rows = parity.tables(loaded)

    here = compute(discover().catalog, client, loaded)
    there = compute(discover().catalog, client, parity.moved(loaded, postgres, rows))

    assert here.scorecard["kpi"].nunique() == 133
    assert not set(here.scorecard["status"]) & {"failed", "missing_data"}
    assert parity.differences(here, there) == []


def test_every_kpi_of_complete_journey(postgres: ibis.BaseBackend) -> None:
    """By total and by month, on one of eight households: what real data hold that made-up ones do not."""
    client = params.load(PARAMS / "complete_journey.yaml").model_copy(update={"breakdowns": ("month",)})
    whole = book.loaded(intake.load(client))
    rows = parity.part(whole, HOUSEHOLDS)

    here = compute(discover().catalog, client, parity.within(whole, rows))
    there = compute(discover().catalog, client, parity.moved(whole, postgres, rows))

    assert (here.scorecard["status"] == "ok").sum() > 250
    assert parity.differences(here, there) == []


def test_a_difference_is_found() -> None:
    """A value a millionth larger, another status, a row too many, a table with another number."""
    card = pd.DataFrame(
        [["a", "total", "total", "current", 1.0, "ok"], ["b", "total", "total", "current", None, "undefined"]],
        columns=[*parity.KEYS, "value", "status"],
    )
    tables = {"a": pd.DataFrame({"x": [1.0, 2.0]})}
    one = Results(card, tables, (), None, 0)
    larger = replace(one, scorecard=card.assign(value=[1.000001, None]))
    other = replace(one, scorecard=card.assign(status=["ok", "low_n"]))
    fewer = replace(one, scorecard=card.iloc[:1], tables={"a": pd.DataFrame({"x": [1.0, 2.5]})})

    assert parity.differences(one, one) == []
    assert parity.differences(one, larger) == ["a by total total, current: value: 1.0, 1.000001"]
    assert parity.differences(one, other) == ["b by total total, current: status: undefined, low_n"]
    assert parity.differences(one, fewer) == [
        "b by total total, current: only here",
        "table a, row 1: x: 2.0, 2.5",
    ]
