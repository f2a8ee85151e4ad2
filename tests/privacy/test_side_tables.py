"""Tables beside the figures, as they are published."""

from __future__ import annotations

import pandas as pd

from kpibook.privacy.tables import BEHIND, published


def shown(table: pd.DataFrame, behind: list[float], least: int = 10) -> pd.DataFrame:
    return published({"t": table.assign(**{BEHIND: behind})}, least)["t"]


def test_nothing_is_withheld_without_a_minimum_and_the_count_is_never_published():
    table = pd.DataFrame({"campaign": ["a", "b"], "gain": [1.0, 2.0]})
    assert shown(table, [1, 2], 0).equals(table)


def test_rows_keep_their_names_and_lose_their_numbers():
    """b rests on 4 persons; with it goes c, the next smallest. Rows about nobody (0) stay."""
    table = pd.DataFrame(
        {"campaign": [*"abcd"], "sold": [10, 20, 30, 40], "gain": [0.1, 0.2, 0.3, 0.4], "status": ["ok"] * 4}
    )
    found = shown(table, [50, 4, 20, 0])
    assert found["campaign"].tolist() == [*"abcd"]
    assert found["sold"].isna().tolist() == found["gain"].isna().tolist() == [False, True, True, False]
    assert (found["sold"].dtype, found["sold"][0]) == ("Int64", 10)
    assert found["status"].tolist() == ["ok", "low_n", "low_n", "ok"]


def test_a_matrix_of_parts_is_protected_in_both_directions_period_by_period():
    """The 3 of the current period take a square with them; the same table of the previous period has no small cell."""
    counts = {"current": [3, 50, 20, 60, 70, 80], "previous": [30, 50, 20, 60, 70, 80]}
    table = pd.concat(
        pd.DataFrame({"period": p, "row": [*"aabbcc"], "column": [*"xyxyxy"], "numerator": n})
        for p, n in counts.items()
    )
    table = table.reset_index(drop=True).assign(
        denominator=lambda t: t.groupby(["period", "row"])["numerator"].transform("sum"),
        value=lambda t: t["numerator"] / t["denominator"],
        status="ok",
    )
    found = shown(table, table["numerator"].tolist())
    assert found.index[found["value"].isna()].tolist() == [0, 1, 2, 3]
    assert found.loc[[0, 1, 2, 3], ["numerator", "denominator"]].isna().all(axis=None)
    assert found.loc[:3, "status"].tolist() == ["low_n"] * 4
    for column in ("numerator", "denominator", "value"):
        assert found.loc[4:, column].tolist() == table.loc[4:, column].tolist()


def test_shares_of_a_base_of_their_own_are_protected_among_their_column():
    """Cohorts by age: of the youngest cohort's 6 persons nothing is told, and with it goes the next smallest."""
    table = pd.DataFrame(
        {
            "row": ["2024-01", "2024-02", "2024-03"] * 2,
            "column": [0, 0, 0, 1, 1, 1],
            "numerator": [100, 20, 6, 50, 10, 2],
            "denominator": [100, 20, 6, 100, 20, 6],
        }
    ).assign(value=lambda t: t["numerator"] / t["denominator"])
    found = shown(table, table["denominator"].tolist())
    assert found["value"].isna().tolist() == [False, True, True, False, True, True]


def test_a_curve_ends_where_fewer_than_ten_are_under_observation():
    table = pd.DataFrame({"time": [0.0, 5.0, 9.0], "at_risk": [30, 10, 9], "survival": [1.0, 0.8, 0.5]})
    assert shown(table, [30, 10, 9])["time"].tolist() == [0.0, 5.0]
