"""Designs behind the return: a random trial, stores reached one after another, and which of them is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from babel.messages.pofile import read_po

import loyalty_kpis
from kpibook import modelled
from kpibook.engine.frames import with_persons
from kpibook.privacy.tables import BEHIND
from kpibook.stats.intervals import Interval
from kpis.enrolment_shop import YEAR, client, cost
from loyalty_kpis import enrolment_effect, return_designs
from loyalty_kpis.enrolment_segments import TENURES
from loyalty_kpis.return_designs import ROLLOUT, STUDY, TRIAL, Design, best, by_stores, by_trial, per_enrolment
from tiny_client import only, receipt, row, run, shop

LINE = {"general_discount": 0, "loyalty_discount": 0, "personal_discount": 0, "variable_cost": 0, "supplier_funding": 0}
SENTENCES = (
    return_designs.BY_TRIAL,
    return_designs.BY_ROLLOUT,
    enrolment_effect.BY_STUDY,
    *TENURES,
    *(TRIAL, ROLLOUT, STUDY),
)


def _cases(persons: int = 400, **columns: Any) -> pd.DataFrame:
    """Half invited. They spend 9 and 11 in turn, the others 4 and 6; all invited join, for two months each, and take
    benefits of 1.
    """
    number = np.arange(persons)
    treated = number < persons // 2
    made = {
        "campaign_id": "c",
        "customer_id": [f"p{i}" for i in number],
        "is_treated": treated,
        "is_random": True,
        "assignment_prob": 0.5,
        "over": True,
        "joined": treated,
        "member_months": np.where(treated, 2.0, 0.0),
        "margin": np.where(treated, 10.0, 5.0) + np.where(number % 2, 1.0, -1.0),
        "benefits": np.where(treated, 1.0, 0.0),
    }
    return pd.DataFrame({**made, **columns})


def test_return_of_a_trial_by_hand() -> None:
    """5 more margin a person, 200 invited: 1,000. Cost a person 1 of benefits and two months of 1 each: 600. Return
    5 / 3 - 1. Errors sqrt(2 * (200 / 199) / 200) = 0.10025; the cost is certain: (5 -+ 1.96 * 0.10025) / 3 - 1.
    """
    found = by_trial(_cases(), 1.0)
    assert found is not None
    assert (found.margin, found.cost, found.grade) == (pytest.approx(1000), pytest.approx(600), "A")
    shown = found.figure("ratio")
    assert shown.value == pytest.approx(2 / 3)
    assert (shown.low, shown.high) == pytest.approx(((5 - 0.19649) / 3 - 1, (5 + 0.19649) / 3 - 1), abs=1e-4)
    assert found.figure("value").value == pytest.approx(400)
    assert json.loads(shown.reason) == {
        "text": return_designs.BY_TRIAL, "limits": "", "treated": 200, "controls": 200,
    }  # fmt: skip


def test_effect_per_enrolment_of_a_trial() -> None:
    """5 more a person; three of four invited join: 20/3 per enrolment."""
    made = per_enrolment(_cases(joined=np.arange(400) % 4 * (np.arange(400) < 200) > 0))
    assert made is not None
    assert made.value == pytest.approx(20 / 3)
    assert per_enrolment(_cases().iloc[:0]) is None
    assert per_enrolment(_cases(is_random=False)) is None
    assert per_enrolment(_cases(joined=False)) is None


FEW = '{"id": "reason.too_few_for_effect", "treated": 199, "controls": 199, "minimum": 200}'


@pytest.mark.parametrize(
    ("grade", "limits", "cases", "monthly"),
    [
        ("D", return_designs.WEAK, _cases(joined=False), 1.0),
        ("D", return_designs.UNSEEN, _cases(margin=np.where(np.arange(400) < 200, 10.0, 0.0)), 1.0),
        ("C", FEW, _cases(398), 1.0),
        ("C", return_designs.UNPOWERED, _cases(benefits=0.0), 0.1),
        ("D", return_designs.trials.NO_CONTROL, _cases(is_random=False), 1.0),
        ("D", return_designs.trials.UNEQUAL, _cases(assignment_prob=np.where(np.arange(400) < 200, 0.9, 0.1)), 1.0),
    ],
)
def test_what_grade_a_requires(grade: str, limits: str, cases: pd.DataFrame, monthly: float) -> None:
    """Unpowered: a cost of 0.20 a person is less than 2.8 errors of 0.10."""
    found = by_trial(cases, monthly)
    assert found is not None
    assert (found.grade, found.limits) == (grade, limits)
    assert found.figure("ratio").value is None
    status = {"C": "low_n" if limits == FEW else "bounded", "D": "not_identified"}[grade]
    assert (found.figure("ratio").status, found.figure("ratio").reason == limits) == (status, limits == FEW)


def _trial_client() -> dict[str, Any]:
    """Twelve persons; six are invited on 5 September for 30 days, join a day later and spend 10 in it, the others 4."""
    names = [f"p{i:02d}" for i in range(12)]
    made = shop(
        *(
            receipt(i, "2023-09-10", amount, name, channel="store", quantity=1, gross_amount=amount, cogs=0, **LINE)
            for i, (name, amount) in enumerate((n, 10 if i < 6 else 4) for i, n in enumerate(names))
        ),
        *(
            receipt(100 + i, "2023-11-10", 50, name, channel="store", quantity=1, gross_amount=50, cogs=0, **LINE)
            for i, name in enumerate(names)
        ),
    )
    made["memberships"] = [
        {"member_id": f"m-{n}", "customer_id": n, "enrolled_at": "2023-09-06 12:00:00", "programme_id": "p",
         "enrol_transaction_id": None}
        for n in names[:6]
    ]  # fmt: skip
    made["campaigns"] = [
        {"campaign_id": "c", "start_at": "2023-09-05 08:00:00", "response_window_days": 30, "objective": "Programme"}
    ]
    made["campaign_targets"] = [
        {"campaign_id": "c", "customer_id": n, "assigned_at": "2023-09-05 07:00:00", "is_random": True,
         "arm": "treatment" if i < 6 else "control", "assignment_prob": 0.5}
        for i, n in enumerate(names)
    ]  # fmt: skip
    return {**client(costs=[cost("operations", 36.0, "2023-01-01", "2023-12-31")]), **made}


def test_trial_from_the_tables() -> None:
    """6 more a person over six invited: 36. Member-months in the window: 29 of 30 days, 29 / 30.4375 = 0.95277 each;
    in the year three each (October to December), 18 in all: 2 a month. Cost 6 * 0.95277 * 2 = 11.433, return 36 /
    11.433 - 1. Purchases after the window do not count. Six persons an arm: nothing to show. The study sees nobody.
    """
    results = run(_trial_client(), **YEAR, catalog=only("programme_roi", "incremental_margin"))
    margin, roi = row(results, "incremental_margin"), row(results, "programme_roi")
    assert (margin["low"], margin["high"]) == (pytest.approx(36), pytest.approx(36))
    assert (roi["status"], roi["grade"], roi["n"]) == ("low_n", "C", 12)
    assert roi["low"] == pytest.approx(36 / (6 * 2 * 29 / 30.4375) - 1)
    assert row(results, "incremental_margin", "per_enrolment")["value"] == pytest.approx(6)
    assert row(results, "programme_roi", TRIAL)["low"] == roi["low"]


def test_a_campaign_with_another_objective_is_no_trial() -> None:
    other = {"programme_cases": {"objective": "enrol"}}
    results = run(_trial_client(), **YEAR, catalog=only("programme_roi"), settings=other)
    assert row(results, "programme_roi")["status"] == "not_identified"
    assert "design" not in set(results.scorecard["segment_by"])


def test_members_before_the_assignment_are_left_out() -> None:
    tables = _trial_client()
    tables["memberships"][0]["enrolled_at"] = "2023-09-01 12:00:00"
    results = run(tables, **YEAR, catalog=only("programme_roi"))
    assert row(results, "programme_roi")["n"] == 11


def test_a_trial_counts_in_the_period_in_which_its_window_ends() -> None:
    """The window of 5 September ends on 5 October: not in the first nine months, but in the last three."""
    first = run(_trial_client(), period="2023-01-01/2023-09-30", data=YEAR["data"], catalog=only("programme_roi"))
    last = run(_trial_client(), period="2023-10-01/2023-12-31", data=YEAR["data"], catalog=only("programme_roi"))
    assert "design" not in set(first.scorecard["segment_by"])
    assert row(last, "programme_roi", TRIAL)["n"] == 12


BEGUN = {f"S{i}": "2023-01" if i < 5 else "2023-09" for i in range(8)}
PHASE = {"period": "2023-02-01/2023-08-31", "data": "2022-01-01/2023-12-31"}
ONE = {"store_launches": {"least_enrolments": 1}}


def _store_client(gain: float = 2.0) -> dict[str, Any]:
    """Eight stores with one customer each who buys for a margin of 10 every month of two years, ``gain`` more once the
    store has the programme: five from January 2023 on, three from September 2023 on. The customer joins then.
    """
    receipts, cards = [], []
    for store, begun in BEGUN.items():
        for number in range(24):
            day = f"{2022 + number // 12}-{number % 12 + 1:02d}-10"
            amount = 10 + gain * (day > begun)
            facts = {"store_id": store, "channel": "store", "quantity": 1, "gross_amount": amount, "cogs": 0, **LINE}
            carded = {"member_id": f"m-{store}" if day > begun else None}
            receipts.append(receipt(len(receipts), day, amount, f"c-{store}", **facts, **carded))
            if day.startswith(begun):
                cards.append(
                    {"member_id": f"m-{store}", "customer_id": f"c-{store}", "enrolled_at": f"{day} 12:00:00",
                     "programme_id": "p", "enrol_transaction_id": receipts[-1][0]["transaction_id"]}
                )  # fmt: skip
    costs = [cost("operations", 35.0, "2023-02-01", "2023-08-31")]
    return {**client(costs=costs), **shop(*receipts), "memberships": cards}


def test_stores_from_the_tables() -> None:
    """Five stores, seven months, 2 more in each: 70. Every receipt with card of the period is one of those months: all
    of the cost, 35. Return 70 / 35 - 1. Nothing differed before; all 56 ways agree on 2 of 10.
    """
    results = run(_store_client(), **PHASE, catalog=only("programme_roi", "incremental_margin"), settings=ONE)
    roi, margin = row(results, "programme_roi"), row(results, "incremental_margin")
    assert (roi["value"], roi["low"], roi["high"]) == pytest.approx((1, 1, 1))
    assert (roi["status"], roi["grade"], roi["denominator"]) == ("ok", "B", pytest.approx(35))
    assert (margin["value"], margin["n"]) == (pytest.approx(70), 5)
    assert json.loads(roi["reason"])["text"] == return_designs.BY_ROLLOUT


def test_stores_need_enrolments() -> None:
    """One enrolment a store is not yet a launch."""
    results = run(_store_client(), **PHASE, catalog=only("programme_roi"))
    assert "design" not in set(results.scorecard["segment_by"])


def test_no_months_with_stores_without_the_programme() -> None:
    later = {"period": "2023-10-01/2023-12-31", "data": PHASE["data"]}
    results = run(_store_client(), **later, catalog=only("programme_roi"), settings=ONE)
    assert "design" not in set(results.scorecard["segment_by"])


def _stores(**changed: Any) -> pd.DataFrame:
    """Eight stores of 100 a month over 24 months, five of which start in month 12 with 120; period 13 to 19."""
    rows = [
        {"store_id": f"S{s}", "month": 1000 + m, "margin": 120.0 if s < 5 and m > 11 else 100.0, "benefits": 1.0,
         "carded": 1, "launch": 1012 if s < 5 else 1020, "from_month": 1013, "to_month": 1020, "full_from": 1000,
         "full_to": 1024}
        for s in range(8)
        for m in range(24)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changed)


def test_cost_of_the_stores_by_hand() -> None:
    """35 of 56 receipts with card in the period are those of the five stores: 35 of benefits and 35/56 of 112."""
    found = by_stores(_stores(), 112.0)
    assert found is not None
    assert (found.grade, found.margin, found.cost) == ("B", pytest.approx(700), pytest.approx(105))


def _drifting() -> pd.Series:
    """The five stores are at 130 in the half year before their launch already."""
    rows = _stores()
    early = (rows["launch"] == 1012) & rows["month"].between(1007, 1011)
    return rows["margin"].where(~early, 130.0)


def _noisy() -> pd.Series:
    """Months of up to 25 % more or less, in a pattern that is not that of the launches."""
    rows = _stores()
    number = rows["store_id"].str[1:].astype(int)
    return rows["margin"] * (1 + 0.25 * np.sin(number * 2.1 + (rows["month"] - 1000) * (1 + number)))


@pytest.mark.parametrize(
    ("grade", "limits", "rows"),
    [
        ("D", return_designs.FEW_STORES, _stores()[lambda t: t["store_id"].isin(["S0", "S5", "S6"])]),
        ("C", return_designs.NO_STORE_PLACEBO, _stores(full_from=1004)),
        ("C", return_designs.STORE_PLACEBO, _stores(margin=_drifting())),
        ("C", return_designs.STORE_POWER, _stores(margin=_noisy())),
        ("C", return_designs.PART, _stores(from_month=1017, to_month=1024)),
    ],
)
def test_what_grade_b_of_stores_requires(grade: str, limits: str, rows: pd.DataFrame) -> None:
    """Part: in months 17 to 23 stores have the programme in 5 * 7 + 3 * 3 = 44 store-months after their launch; 5 * 3
    of them, until the last stores start in month 20, are compared.
    """
    found = by_stores(rows, 112.0)
    assert found is not None
    assert (found.grade, found.limits) == (grade, limits)


@pytest.mark.parametrize(
    "rows", [_stores().iloc[:0], _stores(store_id=""), _stores(full_to=1000), _stores(launch=1012)]
)
def test_no_comparison_of_stores(rows: pd.DataFrame) -> None:
    """No stores, receipts without a store only, no whole month, and everywhere at once."""
    assert by_stores(rows, 112.0) is None


def _design(name: str, grade: str) -> Design:
    return Design(name, grade, "{limits}", 10.0, Interval(8, 12), 4.0, 50, 6.0)


class _Judged:
    def __init__(self, grade: str) -> None:
        self.grade = grade


@pytest.mark.parametrize(
    ("trial", "stores", "study", "shown"),
    [
        ("A", "B", "B", TRIAL),
        ("C", "B", "B", ROLLOUT),
        ("C", "C", "B", None),
        ("C", "C", "C", None),
        ("C", "C", "D", ROLLOUT),
        ("C", "D", "D", TRIAL),
        ("D", "D", "D", None),
        ("D", "D", "C", None),
    ],
)
def test_which_design_is_shown(trial: str, stores: str, study: str, shown: str | None) -> None:
    found = best([_design(TRIAL, trial), _design(ROLLOUT, stores)], _Judged(study))
    assert (found.name if found else None) == shown


def test_the_study_s_table_stays_beside_another_design_with_those_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial of grade A takes the headline; the table is the study's, which rests on 77 persons."""
    monkeypatch.setattr(return_designs, "designs", lambda *_: [_design(TRIAL, "A")])
    table = pd.DataFrame({"line": ["margin"], "amount": [1.0]})
    study = modelled(1.0, table=table, table_persons=77)
    made = return_designs.shown(study, "ratio", _Judged("B"), *[pd.DataFrame()] * 3, 0.0)
    assert made.value == 1.5  # 10 / 4 - 1
    assert with_persons(made)[BEHIND].tolist() == [77]


def test_no_return_without_cost() -> None:
    free = Design(TRIAL, "A", "{limits}", 10.0, Interval(8, 12), 0.0, 50, 6.0)
    assert free.figure("ratio").status == "not_identified"
    assert free.figure("value").value == 10


def test_d_gives_no_return() -> None:
    assert _design(TRIAL, "D").figure("ratio").value is None
    assert _design(TRIAL, "D").figure("ratio").low is None


@pytest.mark.parametrize("language", ["es", "de", "it"])
def test_every_design_is_told_in_every_language(language: str) -> None:
    known: dict[str, str] = {}
    for path in (Path(loyalty_kpis.__file__).parent / "locale" / language).glob("*.po"):
        with path.open("rb") as file:
            known |= {m.id: str(m.string) for m in read_po(file) if m.id}
    assert [s for s in SENTENCES if known.get(s, s) == s] == []
