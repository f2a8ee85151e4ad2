"""Parts of the enrolment study: by cohort, tenure and usage before the base."""

from __future__ import annotations

import pandas as pd
import pytest

from kpibook.stats.risk_sets import NEVER
from kpis.enrolment_shop import YEAR, client
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis.enrolment_segments import TENURES, segments
from tiny_client import only, row, run

#: 2021-01 as a number of months.
START = 2021 * 12


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
    parts = segments(own, own.matrix(_frame()["margin"]))["cohort"]
    made = {name: part.effects(_frame()["margin"]).treated for name, part in parts.items()}
    assert {name: n for name, n in made.items() if n} == {"2022-Q1": 80, "2022-Q3": 80}


@pytest.mark.parametrize("dimension", ["cohort", "tenure"])
def test_parts_add_up(own: effect.Study, dimension: str) -> None:
    margin = _frame()["margin"] * (1 + 0.1 * (_frame()["month"] % 5))
    whole = own.effects(margin)
    parts = [part.effects(margin) for part in segments(own, own.matrix(margin))[dimension].values()]
    assert sum(p.total for p in parts) == pytest.approx(whole.total)
    assert sum(p.person_months for p in parts) == whole.person_months


def test_tenure_at_enrolment(own: effect.Study) -> None:
    """In 2022-03 the older half has 26 months, the younger 8; in 2022-08 31 and 13: 40 members each way."""
    parts = segments(own, own.matrix(_frame()["margin"]))["tenure"]
    assert [parts[name].effects(_frame()["margin"]).treated for name in TENURES] == [40, 40, 80]


def test_usage_is_that_before_the_base(own: effect.Study) -> None:
    """Of those at risk in a month and customers for a year, half are low, up to four fifths medium, the rest heavy; the
    younger half has no class before 2022-07 and no year before 2022-03.
    """
    classes = segments(own, own.matrix(_frame()["margin"]))["usage_class"]
    last = {name: part.sets.month == 19 for name, part in classes.items()}
    assert {name: int(rows.sum()) for name, rows in last.items()} == {"low": 80, "medium": 48, "heavy": 32}
    spend = {name: part.sets.person[last[name]] for name, part in classes.items()}
    assert spend["low"].max() < spend["medium"].min()
    assert spend["medium"].max() < spend["heavy"].min()
    early = sum(int((part.sets.month == 14).sum()) for part in classes.values())
    assert early == 120


def test_small_parts_are_not_shown() -> None:
    """Three members in the third quarter: fewer than ten persons."""
    results = run(client(), **YEAR, catalog=only("programme_roi"), min_persons=10)
    assert row(results, "programme_roi", "2023-Q3")["status"] == "low_n"
    assert row(results, "programme_roi", TENURES[0])["value"] is None
