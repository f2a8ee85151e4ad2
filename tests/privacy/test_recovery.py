"""The attacker: everything that was published about a shop, and an attempt to work out what was not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpibook.engine.compute import Results
from tiny_client import only, receipt, row, run, shop

KPIS = ("net_sales", "avg_receipt", "identified_sales_share")
CHANNELS = ("store", "web", "app", "phone", "b2b")
COLUMNS = ("value", "n", "numerator", "denominator")
PERIODS = {"period": "2024-07-01/2024-12-31", "compare": "2024-01-01/2024-06-30", "data": "2024-01-01/2024-12-31"}
BY = ("channel", "month", "quarter")


def bought(sizes: dict[str, tuple[int, int]]) -> Any:
    """``{channel: (buyers before, buyers now)}``: each buys once in a month of its own number, amounts all differ."""
    found, number = [], 0
    for channel, both in sizes.items():
        for first, buyers in zip((1, 7), both, strict=True):
            for buyer in range(buyers):
                number += 1
                day = f"2024-{first + buyer % 6:02d}-03"
                found.append(receipt(number, day, 10 + number * number % 97, f"{channel}{buyer}", channel=channel))
    return shop(*found)


def computed(sizes: dict[str, tuple[int, int]], least: int) -> Results:
    return run(bought(sizes), **PERIODS, catalog=only(*KPIS), breakdowns=BY, min_persons=least)


def test_a_channel_of_three_takes_a_second_with_it_in_every_figure():
    """Of 40, 20 and 3 buyers the 3 are withheld, and the 20: else total less the others would be theirs."""
    results = computed({"store": (40, 40), "web": (20, 20), "app": (3, 3)}, 10)
    for kpi in KPIS:
        assert row(results, kpi, "store")["value"] is not None
        for channel in ("web", "app"):
            hidden = row(results, kpi, channel)
            assert [hidden[c] for c in (*COLUMNS, "low", "high", "change", "change_low", "change_high")] == [None] * 9
            assert (hidden["status"], hidden["reason"]) == ("low_n", '{"id": "reason.privacy", "minimum": 10}')


def test_a_change_goes_when_only_the_figure_before_is_withheld():
    """Web had 4 buyers before and has 20 now: now is told, the change would tell what was before."""
    results = computed({"store": (40, 40), "web": (4, 20), "app": (30, 30)}, 10)
    now = row(results, "net_sales", "web")
    assert (now["value"] is None, now["change"], now["change_low"]) == (False, None, None)
    assert row(results, "net_sales", "web", "previous")["value"] is None
    assert row(results, "net_sales", "app", "previous")["value"] is None
    assert row(results, "net_sales", "store")["change"] is not None


def test_a_whole_shop_of_nine_says_nothing():
    """Nine persons bought: no number of theirs is published; with a minimum of nine it is."""
    results = computed({"store": (9, 9)}, 10)
    assert results.scorecard[list(COLUMNS)].isna().all(axis=None)
    assert row(computed({"store": (9, 9)}, 9), "net_sales")["value"] is not None


SIZES = st.fixed_dictionaries(
    {name: st.tuples(st.integers(0, 25), st.integers(0, 25)) for name in CHANNELS[1:]} | {"store": st.just((60, 60))}
)


@settings(max_examples=6)
@given(SIZES)
def test_nobody_works_out_a_withheld_figure(sizes: dict[str, tuple[int, int]]):
    """Segments add up to the total and months to quarters; the same number in two KPIs is one unknown."""
    published, true = computed(sizes, 10).scorecard, computed(sizes, 0).scorecard
    for period in ("current", "previous"):
        shown, known = (card[card["period"] == period].reset_index(drop=True) for card in (published, true))
        _attack(shown, known)
    assert not _small(published, true)


def test_the_attack_succeeds_where_only_small_cells_are_withheld():
    """Web's 3 buyers alone are taken out: what is left of the total is theirs, and the attack says so."""
    true = computed({"store": (0, 40), "web": (0, 3)}, 0).scorecard
    true = true[true["period"] == "current"].reset_index(drop=True)
    naive = true.copy()
    naive.loc[naive["segment"] == "web", list(COLUMNS)] = None
    with pytest.raises(AssertionError, match="'web'"):
        _attack(naive, true)


def _small(published: pd.DataFrame, true: pd.DataFrame) -> list[Any]:
    """Rows that rest on one to nine persons and are told."""
    persons = true[true["kpi"] == "avg_receipt"].set_index(["segment_by", "segment", "period"])["n"]
    told = published[published["value"].notna() & (published["kpi"] == "net_sales")]
    told = told[told["segment_by"].isin(["total", *BY])]
    return [key for key in zip(told["segment_by"], told["segment"], told["period"], strict=True) if persons[key] < 10]


def _attack(published: pd.DataFrame, true: pd.DataFrame) -> None:
    unknown, numbers = {}, {}
    for column in COLUMNS:
        for kpi in KPIS:
            rows = true.index[(true["kpi"] == kpi) & (true["segment_by"] != "variant")]
            places = [(true.loc[i, "segment_by"], true.loc[i, "segment"]) for i in rows]
            values = dict(zip(places, true.loc[rows, column].astype(float), strict=True))
            seen = dict(zip(places, published.loc[rows, column].notna(), strict=True))
            whole = round(values[("total", "total")], 6)
            alike = next((q for q, v in numbers.items() if q[0] == whole and _same(v, values)), (whole, kpi, column))
            numbers[alike] = values
            for place in places:
                unknown[alike, place] = unknown.get((alike, place), True) and not seen[place]
    for quantity, values in numbers.items():
        hidden = [p for p in values if unknown[quantity, p] and not np.isnan(values[p])]
        sums = [_line(values, hidden, by) for by in BY] + [_quarter(hidden, q) for q in ("2024-Q3", "2024-Q4")]
        adds = [s for s, by in zip(sums, BY, strict=False) if _adds(values, by)]
        system = np.array([s for s in (*adds, *sums[len(BY) :]) if any(s)] or [[0.0] * len(hidden)], float)
        rank = np.linalg.matrix_rank(system) if hidden else 0
        for i, place in enumerate(hidden):
            more = np.vstack([system, np.eye(len(hidden))[i]])
            assert np.linalg.matrix_rank(more) > rank, (quantity, place, values)


def _same(one: dict[Any, float], other: dict[Any, float]) -> bool:
    return one.keys() == other.keys() and all(a == pytest.approx(other[p], nan_ok=True) for p, a in one.items())


def _adds(values: dict[Any, float], by: str) -> bool:
    return sum(v for (b, _), v in values.items() if b == by) == pytest.approx(values[("total", "total")])


def _line(values: dict[Any, float], hidden: list[Any], by: str) -> list[float]:
    return [float(place[0] == by) for place in hidden]


def _quarter(hidden: list[Any], quarter: str) -> list[float]:
    """What its months and the quarter itself come to, in either direction."""
    months = {"2024-Q3": "07 08 09", "2024-Q4": "10 11 12"}[quarter].split()
    return [
        1.0 if place == ("quarter", quarter) else -1.0 if place[0] == "month" and place[1][5:] in months else 0.0
        for place in hidden
    ]
