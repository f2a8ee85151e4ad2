"""Parts of the enrolment study: by cohort, tenure and usage before the base."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kpibook.stats.enrolment_effects import effects
from kpibook.stats.risk_sets import NEVER
from kpis.enrolment_shop import YEAR, client
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis.enrolment_segments import TENURES, segments
from tiny_client import only, row, run

#: 2021-01 as a number of months.
START = 2021 * 12
NOWHERE = pd.DataFrame({"person": [], "month": [], "store": []})


def _frame(persons: int = 240) -> pd.DataFrame:
    """Customers who buy every month of 2021 and 2022 for what their number says; a third enrols in 2022-03, a third in
    2022-08. Half of them came a year before the data, the others in 2021-07.
    """
    rows = [
        {"person": p, "month": START + m, "stratum": (m - first >= 12) + (m - first >= 24), "basket": 10.0,
         "first": START + first, "enrolled": START + joined, "from_month": START + 12, "to_month": START + 24,
         "margin": float(p)}
        for p in range(persons)
        for first in ((-12, 6)[p % 2],)
        for joined in ((14, 19, NEVER - START)[p % 3],)
        for m in range(max(0, first), 24)
        if m - first >= 0
    ]  # fmt: skip
    made = pd.DataFrame(rows)
    at_risk = (made["month"] - made["first"] >= 6) & (made["enrolled"] >= made["month"])
    return made.assign(stratum=made["stratum"].where(at_risk, -1))


@pytest.fixture(scope="module")
def own() -> effect.Study:
    found = effect.study(_frame())
    assert found is not None
    return found


def test_cohorts_are_quarters_of_enrolment(own: effect.Study) -> None:
    """Two of three persons are members, 80 in either quarter."""
    parts = segments(own, own.matrix(_frame()["margin"]), NOWHERE)["cohort"]
    made = {name: part.effects(_frame()["margin"]).treated for name, part in parts.items()}
    assert {name: n for name, n in made.items() if n} == {"2022-Q1": 80, "2022-Q3": 80}


@pytest.mark.parametrize("dimension", ["cohort", "tenure"])
def test_parts_add_up(own: effect.Study, dimension: str) -> None:
    margin = _frame()["margin"] * (1 + 0.1 * (_frame()["month"] % 5))
    whole = own.effects(margin)
    parts = [part.effects(margin) for part in segments(own, own.matrix(margin), NOWHERE)[dimension].values()]
    assert sum(p.total for p in parts) == pytest.approx(whole.total)
    assert sum(p.person_months for p in parts) == whole.person_months


def test_tenure_at_enrolment(own: effect.Study) -> None:
    """In 2022-03 the older half has 26 months, the younger 8; in 2022-08 31 and 13: 40 members each way."""
    parts = segments(own, own.matrix(_frame()["margin"]), NOWHERE)["tenure"]
    assert [parts[name].effects(_frame()["margin"]).treated for name in TENURES] == [40, 40, 80]


def test_usage_is_that_before_the_base(own: effect.Study) -> None:
    """Of those at risk in a month and customers for a year, half are low, up to four fifths medium, the rest heavy; the
    younger half has no class before 2022-07 and no year before 2022-03.
    """
    classes = segments(own, own.matrix(_frame()["margin"]), NOWHERE)["usage_class"]
    last = {name: part.sets.month == 19 for name, part in classes.items()}
    assert {name: int(rows.sum()) for name, rows in last.items()} == {"low": 80, "medium": 48, "heavy": 32}
    spend = {name: part.numbers[part.sets.person[last[name]]] for name, part in classes.items()}
    assert spend["low"].max() < spend["medium"].min()
    assert spend["medium"].max() < spend["heavy"].min()
    early = sum(int((part.sets.month == 14).sum()) for part in classes.values())
    assert early == 120


def test_by_store_both_sides_bought_in_it(own: effect.Study) -> None:
    """Even numbers shop in S0, odd ones in S1, every fourth month elsewhere: 80 members a store, less none; 2022-03 is
    month 14 and 2022-08 month 19, when all are in their store.
    """
    frame = _frame()
    stores = frame.assign(store="S" + (frame["person"] % 2).astype(str))[["person", "month", "store"]]
    away = (stores["month"] - START) % 4 == 0
    stores.loc[away, "store"] = None
    parts = segments(own, own.matrix(frame["margin"]), stores)["store_id"]
    assert {name: part.effects(frame["margin"]).treated for name, part in parts.items()} == {"S0": 80, "S1": 80}
    for number, part in enumerate(parts.values()):
        assert set(part.numbers[part.sets.person] % 2) == {number}
        assert not ((part.sets.month % 4) == 0).any()


def test_a_part_is_worked_out_over_its_own_persons(own: effect.Study) -> None:
    """The same effect and error as over the whole matrix."""
    margin = _frame()["margin"]
    early = own.sets.part(own.sets.cell_month == 19)
    plain = effects(early, own.matrix(margin), own.purchases.enrolled, counted=own.counted)
    part = own.part(early)
    made = part.effects(margin)
    assert (len(part.numbers), len(own.numbers)) == (160, 240)  # a third has enrolled before
    assert (made.total, made.standard_error) == pytest.approx((plain.total, plain.standard_error))
    assert part.other(_frame(), "margin").sum() == own.matrix(margin)[np.isin(own.numbers, part.numbers)].sum()


def test_small_parts_are_not_shown() -> None:
    """Three members in the third quarter: fewer than ten persons."""
    results = run(client(), **YEAR, catalog=only("programme_roi"), min_persons=10)
    assert row(results, "programme_roi", "2023-Q3")["status"] == "low_n"
    assert row(results, "programme_roi", TENURES[0])["value"] is None
