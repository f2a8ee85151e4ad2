"""What holds for each of the 133 KPIs, on a quarter of Marea's customers with everything that is theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from simulations.population import Population, population

from kpibook import model, params
from kpibook.engine.compute import Loaded, compute
from kpibook.plugins import discover

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Card = Callable[..., pd.DataFrame]

PARAMS = Path(__file__).parents[2] / "params"
KEYS = ["kpi", "segment_by", "segment", "period"]
NUMBERS = ["value", "low", "high", "numerator", "denominator"]
MONEY = {name: [c.name for c in table.columns.values() if c.kind == "money"] for name, table in model.TABLES.items()}
#: Persons of a year buy in several months; a window, a state or a cohort reaches beyond the month.
NOT_SUMS_OF_MONTHS = {
    "active_customers",
    "active_member_rate",
    "behaviour_model_coverage",
    "buyers_who_are_customers",
    "churn_rate",
    "cohort_retention",
    "contact_regularity",
    "contactable_share",
    "cross_sell_rate",
    "customer_base_growth",
    "digital_adoption_rate",
    "enrolment_rate",
    "existing_vs_new_benefit_ratio",
    "expectation_met_rate",
    "growth_accounting",
    "heavy_medium_target_coverage",
    "initiative_continuity",
    "k_factor",
    "overall_conversion_rate",
    "pareto_share",
    "post_sale_engagement_rate",
    "profile_completeness",
    "purchase_frequency",
    "reactivation_rate",
    "referral_rate",
    "repeat_purchase_rate",
    "retention_rate",
    "spend_per_customer",
    "tier_migration",
    "two_way_dialogue_rate",
    "usage_class_share",
    "value_added_action_rate",
}
#: Persons buy in several channels; the baseline is estimated in each segment anew.
NOT_SUMS_OF_CHANNELS = {"buyers_who_are_customers", "spend_per_customer", "subsidised_baseline_share"}


@pytest.fixture(scope="module")
def people(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Population:
    return population(_params(samples, tmp_path_factory), tmp_path_factory.mktemp("people") / "population.duckdb")


@pytest.fixture(scope="module")
def card(samples: Path, people: Population, tmp_path_factory: pytest.TempPathFactory) -> Card:
    """``card(change, breakdowns)``: the scorecard of all KPIs, after ``change`` was made to the tables."""
    catalog, client = discover().catalog, params.load(_params(samples, tmp_path_factory))

    def made(change: Callable[[Loaded], Loaded] = lambda loaded: loaded, breakdowns: tuple[str, ...] = ()) -> Any:
        own = client.model_copy(update={"breakdowns": breakdowns})
        return compute(catalog, own, change(people.part(4))).scorecard.set_index(KEYS).sort_index()

    return made


@pytest.fixture(scope="module")
def plain(card: Card) -> pd.DataFrame:
    return card()


def test_this_client_feeds_every_kpi(plain: pd.DataFrame) -> None:
    """133 of the catalogue; nothing failed, nothing without its tables."""
    assert plain.index.get_level_values("kpi").nunique() == 133
    assert not set(plain["status"]) & {"failed", "missing_data"}


def test_neither_order_of_rows_nor_columns_said_twice_change_a_figure(card: Card, plain: pd.DataFrame) -> None:
    def change(loaded: Loaded) -> Loaded:
        for name, table in model.TABLES.items():
            twice = ", ".join(f'"{column}" AS "copy_of_{column}"' for column in table.columns)
            loaded.backend.con.execute(
                f'CREATE OR REPLACE TABLE "{name}" AS SELECT * EXCLUDE (place), {twice} FROM '
                f'(SELECT *, row_number() OVER () AS place FROM "{name}") ORDER BY hash(place)'
            )
        return loaded

    other = card(change)

    assert list(other.index) == list(plain.index)
    assert list(other["status"]) == list(plain["status"])
    for column in NUMBERS:
        np.testing.assert_allclose(_numbers(other, column), _numbers(plain, column), rtol=1e-7, err_msg=column)


def test_another_currency_changes_money_and_nothing_else(card: Card, plain: pd.DataFrame) -> None:
    """Four of the new coin for one of the old: money is four times as much, also where it is a target."""
    units = plain.xs(("total", "total", "current"), level=("segment_by", "segment", "period"))["unit"]
    priced = ", ".join(f"'{kpi}'" for kpi in units[units == "money"].index)

    def change(loaded: Loaded) -> Loaded:
        run = loaded.backend.con.execute
        for name, columns in MONEY.items():
            if columns:
                run(f'UPDATE "{name}" SET ' + ", ".join(f'"{c}" = 4 * "{c}"' for c in columns))
        run("UPDATE programme_rules SET points_per_currency = points_per_currency / 4")
        run(
            "UPDATE targets SET target_value = 4 * target_value, baseline_value = 4 * baseline_value "
            f"WHERE kpi_id IN ({priced})"
        )
        return loaded

    other = card(change)

    assert list(other.index) == list(plain.index)
    assert list(other["status"]) == list(plain["status"])
    times = np.where(plain["unit"] == "money", 4.0, 1.0)
    for column in ("value", "low", "high"):
        expected = _numbers(plain, column) * times
        np.testing.assert_allclose(_numbers(other, column), expected, rtol=1e-6, err_msg=column)


def test_empty_tables_have_no_figures(card: Card) -> None:
    def change(loaded: Loaded) -> Loaded:
        for name in model.TABLES:
            loaded.backend.con.execute(f'DELETE FROM "{name}"')
        return replace(loaded, rows=dict.fromkeys(loaded.rows, 0))

    empty = card(change)

    assert empty.index.get_level_values("kpi").nunique() == 133
    assert set(empty["status"]) == {"missing_data"}
    assert empty["value"].isna().all()


@pytest.mark.parametrize(
    ("breakdown", "declared"),
    [("month", NOT_SUMS_OF_MONTHS), ("channel", NOT_SUMS_OF_CHANNELS)],
    ids=["month", "channel"],
)
def test_segments_add_up_or_are_declared_not_to(parts: pd.DataFrame, breakdown: str, declared: set[str]) -> None:
    """Numerators and denominators of the segments are those of the total, where none is withheld."""
    totals = parts.xs(("total", "total"), level=("segment_by", "segment"))
    others = set()
    segments = parts.xs(breakdown, level="segment_by")
    for kpi, rows in segments.groupby(level="kpi"):
        whole = totals.loc[kpi]
        for column in ("numerator", "denominator"):
            found = _numbers(rows, column)
            if whole[["numerator", "denominator"]].isna().all() or np.isnan(found).any():
                continue
            if not np.isclose(found.sum(), float(whole[column]), rtol=1e-9):
                others.add(kpi)

    assert others == declared
    assert segments.index.get_level_values("kpi").nunique() > len(declared) + 30


@pytest.fixture(scope="module")
def parts(card: Card) -> pd.DataFrame:
    rows = card(breakdowns=("month", "channel"))
    return rows.xs("current", level="period")


def _numbers(rows: pd.DataFrame, column: str) -> Any:
    return rows[column].astype("float64").to_numpy(dtype="float64", na_value=np.nan)


def _params(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("client") / "marea.yaml"
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace("../data/marea", str(samples / "marea")), encoding="utf-8")
    return own
