"""Readings as other reports take them: last purchases, closed gaps, declared ends, open months. By hand.

| who | bought on |
|---|---|
| ada | 5 January (two receipts), 15 January, 14 February, 31 March |
| bob | 10 January, 20 January |
| cid | 20 March |
| dot | 2 January, two receipts |

The data run from 1 January to 31 March 2025, 90 days.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest

from tiny_client import only, receipt, row, run, shop

BOUGHT = {
    "ada": ["01-05", "01-05", "01-15", "02-14", "03-31"],
    "bob": ["01-10", "01-20"],
    "cid": ["03-20"],
    "dot": ["01-02", "01-02"],
}
RECEIPTS = [(who, f"2025-{day}") for who, days in BOUGHT.items() for day in days]
CUSTOMERS = [{"customer_id": who, "created_at": None} for who in BOUGHT]
TABLES = {**shop(*(receipt(i, day, 10, who) for i, (who, day) in enumerate(RECEIPTS))), "customers": CUSTOMERS}
QUARTER = {"period": "2025-01-01/2025-03-31", "data": "2025-01-01/2025-03-31"}
SETTINGS = {
    "repeat_purchase_rate": {"basis": "period"},
    "churn_rate": {"churn_days": 30, "inactive_days": 40},
    "cohort_retention": {"run_in_days": 0},
}
READ = only(
    "growth_accounting", "purchase_frequency", "repeat_purchase_rate", "interpurchase_time", "churn_rate",
    "cohort_retention",
)  # fmt: skip


@cache
def _results() -> Any:
    return run(TABLES, **QUARTER, catalog=READ, settings=SETTINGS, breakdowns=("month",))


def test_purchases_per_customer() -> None:
    """Days: ada 4, bob 2, cid 1, dot 1; receipts: ada 5, bob 2, cid 1, dot 2. Of four customers."""
    assert row(_results(), "purchase_frequency", "per_customer")["value"] == pytest.approx(8 / 4)
    assert row(_results(), "purchase_frequency", "receipts_per_customer")["value"] == pytest.approx(10 / 4)


def test_two_receipts_of_one_day_are_a_repeat_by_receipt_only() -> None:
    assert row(_results(), "repeat_purchase_rate")["value"] == pytest.approx(2 / 4)
    assert row(_results(), "repeat_purchase_rate", "by_receipt")["value"] == pytest.approx(3 / 4)


def test_closed_gaps() -> None:
    """Ada 10, 30 and 45 days, bob 10: median 20, mean 23.75; ada's mean is 28.3, bob's 10."""
    found = {
        n: row(_results(), "interpurchase_time", f"closed_{n}")["value"] for n in ("median", "mean", "mean_of_persons")
    }
    assert found == pytest.approx({"median": 20, "mean": 95 / 4, "mean_of_persons": (85 / 3 + 10) / 2})


def test_inactive_counts_from_the_last_day() -> None:
    """On 31 March ada is silent for 0 days, bob for 70, cid for 11, dot for 88. Cid is too new to be judged."""
    assert row(_results(), "churn_rate", "inactive")["value"] == pytest.approx(2 / 4)
    assert row(_results(), "churn_rate", "inactive_eligible")["value"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("days", "silent"), [(70, 2), (71, 1), (88, 1), (89, 0)])
def test_as_many_days_as_given_are_inactive(days: int, silent: int) -> None:
    settings = {"churn_rate": {"churn_days": 30, "inactive_days": days}}
    found = row(run(TABLES, **QUARTER, catalog=only("churn_rate"), settings=settings), "churn_rate", "inactive")
    assert found["numerator"] == silent


def test_without_inactive_days_churn_has_its_headline_only() -> None:
    found = run(TABLES, **QUARTER, catalog=only("churn_rate"), settings={"churn_rate": {"churn_days": 30}}).scorecard
    assert set(found["segment"]) == {"total"}
    assert row(_results(), "churn_rate")["value"] == found["value"].iloc[0]


def test_movements_by_month() -> None:
    """January: ada, bob, dot are new. February: ada stays. March: ada stays, cid is new."""
    table = _results().tables["growth_accounting"]
    found = {(r["row"], r["column"]): r["numerator"] for r in table.to_dict("records")}
    assert found == {
        ("2025-01", "new"): 3,
        ("2025-02", "retained"): 1,
        ("2025-02", "lost"): 2,
        ("2025-03", "retained"): 1,
        ("2025-03", "new"): 1,
    }


def test_movements_of_both_periods_stand_apart() -> None:
    spans = {"period": "2025-03-01/2025-03-31", "compare": "2025-02-01/2025-02-28", "data": QUARTER["data"]}
    table = run(TABLES, **spans, catalog=only("growth_accounting"), breakdowns=("month",)).tables["growth_accounting"]
    found = {(r["period"], r["row"], r["column"]): r["numerator"] for r in table.to_dict("records")}
    assert found == {
        ("current", "2025-03", "new"): 1,
        ("current", "2025-03", "retained"): 1,
        ("previous", "2025-02", "lost"): 2,
        ("previous", "2025-02", "retained"): 1,
    }


def test_open_months() -> None:
    """With data until 30 March, a day short, March is judged only if asked for."""
    early = {k: [r for r in rows if "03-31" not in str(r.get("ts"))] for k, rows in TABLES.items()}
    kept = {r["transaction_id"] for r in early["transactions"]}
    early["order_lines"] = [line for line in early["order_lines"] if line["transaction_id"] in kept]
    spans = {"period": QUARTER["period"], "data": "2025-01-01/2025-03-30"}

    def ages(**more: Any) -> dict[str, list[int]]:
        settings = {"cohort_retention": {"run_in_days": 0, **more}}
        table = run(early, **spans, catalog=only("cohort_retention"), settings=settings).tables["cohort_retention"]
        return {str(name): [int(age) for age in rows["column"]] for name, rows in table.groupby("row")}

    assert ages() == {"2025-01": [0, 1]}
    assert ages(open_months=True) == {"2025-01": [0, 1, 2], "2025-03": [0]}
    complete = _results().tables["cohort_retention"]
    assert sorted(complete["row"].unique()) == ["2025-01", "2025-03"]


def _tenures(**settings: Any) -> pd.DataFrame:
    results = run(
        TABLES, **QUARTER, catalog=only("retention_time"), settings={"tenures": {"run_in_days": 0, **settings}}
    )
    table = results.tables["retention_time"]
    return table[["time", "at_risk", "events"]].astype(int).reset_index(drop=True)


def _steps(*rows: tuple[int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["time", "at_risk", "events"])


def test_declared_ends() -> None:
    """Inactive after 40 days: bob 10 + 40 = 50 and dot 0 + 40 days have ended; ada is seen for 85 days, cid for 11."""
    assert _tenures(inactive_days=40).equals(_steps((40, 3, 1), (50, 2, 1)))


def test_ends_at_the_last_purchase() -> None:
    """Bob lasted 10 days and dot 0; ada is censored at 85 and cid at 0, who is still at risk there."""
    assert _tenures(inactive_days=40, lasts="last_purchase").equals(_steps((0, 4, 1), (10, 2, 1)))


def test_ends_of_repeaters() -> None:
    """Ada and bob bought on two days, dot did not."""
    assert _tenures(inactive_days=40, least_purchases=2).equals(_steps((50, 2, 1)))


def test_on_the_day_itself_silence_ends_a_relation() -> None:
    """Bob has been silent for 70 days."""
    assert _tenures(inactive_days=70, least_purchases=2).equals(_steps((80, 2, 1)))
    assert "retention_time" not in {k for k, t in _ends(71).items() if len(t)}


def _ends(days: int) -> dict[str, pd.DataFrame]:
    settings = {"tenures": {"run_in_days": 0, "inactive_days": days, "least_purchases": 2}}
    return run(TABLES, **QUARTER, catalog=only("retention_time"), settings=settings).tables
