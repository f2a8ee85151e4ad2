"""The demonstration clients, loaded and computed once, with the KPIs that the tests of them read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kpibook import intake, params
from kpibook.engine.compute import Loaded, Results, compute
from tiny_client import only, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpibook.catalog import Catalog
    from kpibook.params import Params

    Compute = Callable[[Params, Catalog], Results]

PARAMS = Path(__file__).parents[2] / "params"
SALES = (
    *("net_sales", "avg_receipt", "avg_receipt_card", "avg_receipt_no_card", "avg_receipt_gap", "avg_receipt_change"),
    *("spend_per_customer", "identified_sales_share", "member_revenue_share", "cross_sell_rate"),
)
CUSTOMERS = (
    *("active_customers", "churn_rate", "cohort_retention", "growth_accounting", "interpurchase_time", "pareto_share"),
    *("purchase_frequency", "retention_rate", "rfm_segments", "second_purchase_rate", "usage_class_share"),
)
FURTHER = (
    *("campaign_response_rate", "customer_base_growth", "low_to_heavy_conversion", "repeat_purchase_rate"),
    "target_attainment",
)


def with_breakdowns(*kpis: str) -> Catalog:
    """These KPIs, and the views that say what persons can be broken down by."""
    return only(*kpis, *(name for name, source in pack().views.items() if source.definition.describes))


@pytest.fixture(scope="session")
def compute_client() -> Compute:
    """``compute_client(params, catalog)``: the client's files read anew, and every KPI of the catalogue."""

    def computed(client: Params, catalog: Catalog) -> Results:
        settings = {name: given for name, given in client.settings.items() if name in catalog.definitions}
        client = client.model_copy(update={"settings": settings})
        found = intake.load(client)
        supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in found.facts.items()}
        rows = {name: facts.rows for name, facts in found.facts.items()}
        assert found.data_start is not None
        assert found.data_end is not None
        return compute(catalog, client, Loaded(found.con, supplied, rows, found.data_start, found.data_end))

    return computed


@pytest.fixture(scope="session")
def complete_journey(compute_client: Compute) -> Results:
    return compute_client(params.load(PARAMS / "complete_journey.yaml"), with_breakdowns(*SALES, *CUSTOMERS, *FURTHER))


@pytest.fixture(scope="session")
def cdnow(compute_client: Compute, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """From a copy of the params file that points at the session's own samples."""
    text = (PARAMS / "cdnow.yaml").read_text(encoding="utf-8")
    own = tmp_path_factory.mktemp("cdnow") / "cdnow.yaml"
    own.write_text(text.replace("../data/cdnow", str(samples / "cdnow")), encoding="utf-8")
    return compute_client(params.load(own), with_breakdowns(*SALES, *CUSTOMERS))
