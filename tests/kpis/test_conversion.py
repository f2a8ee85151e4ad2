"""Low to medium or heavy, net of chance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kpibook.stats import repeat_buying, spend_per_purchase
from kpibook.stats.repeat_buying import chance_to_exceed
from kpis.customer_cases import figure, results
from kpis.person_shop import spenders
from kpis.test_lifetime import steady
from loyalty_kpis.conversion import _Chance, low_to_heavy_conversion
from tiny_client import receipt, row, shop

YEARS = {"compare": "2023-01-01/2023-12-31"}
SPENT = (
    ("2023-06-01", {"anna": 10, "bea": 20, "carl": 30, "dora": 40, "emil": 50}),
    ("2024-06-01", {"anna": 45, "bea": 35, "carl": 30, "dora": 30, "fay": 100}),
)


def test_moves_and_gross() -> None:
    """Cut points of 2023, 30 and 40. Lows of 2023: anna (45 in 2024: heavy), bea (35: medium), carl (30: low): 2/3.
    Dora fell from medium to low, emil from heavy to nothing; fay was not there before. Nobody bought on two days of
    2023: no model, no chance.
    """
    found = results("low_to_heavy_conversion", spenders(*SPENT), **YEARS)
    net, gross = (row(found, "low_to_heavy_conversion", name) for name in ("total", "gross"))
    assert (net["value"], net["status"]) == (None, "undefined")
    assert json.loads(net["reason"]) == {"text": "Nobody bought on two days of the earlier year."}
    assert [gross[k] for k in ("value", "numerator", "denominator")] == [pytest.approx(2 / 3), 2, 3]
    assert gross["status"] == "low_n"
    table = found.tables["low_to_heavy_conversion"]
    cells = {(r.row, r.column): (r.numerator, r.denominator, r.status) for r in table.itertuples()}
    assert cells == {
        ("low", "heavy"): (1, 3, "low_n"),
        ("low", "medium"): (1, 3, "low_n"),
        ("low", "low"): (1, 3, "low_n"),
        ("medium", "low"): (1, 1, "low_n"),
        ("heavy", "lost"): (1, 1, "low_n"),
    }
    assert table["value"].tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 1])


def test_net_is_gross_without_chance() -> None:
    """Lows of 2023 (P50 is 30): anna 10 + 10, bea 25, carl 30; dora 60 and emil 3 * 20 are more. In 2024 anna rises to
    50 less the 15 that she brought back, bea falls to 5 and carl is gone: gross 1/3. By the models of the five
    in 2023, fitted once more here, the three expect this and that; net is the difference.
    """
    first = [
        ("anna", 10),
        ("anna", 10),
        ("bea", 25),
        ("carl", 30),
        ("dora", 60),
        ("emil", 20),
        ("emil", 20),
        ("emil", 20),
    ]
    receipts = [receipt(i, f"2023-06-{i + 1:02d}", amount, name) for i, (name, amount) in enumerate(first)]
    receipts += [receipt(20, "2024-05-01", 50, "anna", line_id="a"), receipt(21, "2024-05-01", 5, "bea")]
    receipts += [receipt(22, "2024-05-09", -15, "anna", return_of_line_id="a"), receipt(23, "2024-05-09", 500)]
    found = results("low_to_heavy_conversion", shop(*receipts), **YEARS)
    net, gross, chance, value = (
        row(found, "low_to_heavy_conversion", name) for name in ("total", "gross", "by_chance", "upgrade_value")
    )
    counts, spend = np.array([2, 1, 1, 1, 3.0]), np.array([20, 25, 30, 60, 60.0])
    buying, _ = repeat_buying.fit(counts)
    spending, _ = spend_per_purchase.fit(counts, spend / counts)
    rising = chance_to_exceed(30.0, counts[:3], spend[:3], buying, spending)
    assert gross["value"] == pytest.approx(1 / 3)
    assert chance["value"] == pytest.approx(rising.mean(), rel=1e-6)
    assert net["value"] == pytest.approx(1 / 3 - rising.mean(), rel=1e-6)
    assert (net["denominator"], net["status"], chance["status"]) == (3, "low_n", "low_n")
    assert json.loads(net["reason"]) == {"id": "reason.too_few_customers", "n": 3, "minimum": 200}
    expected = buying.expected(counts[:3]) * spending.expected(counts[:3], spend[:3] / counts[:3])
    assert value["unit"] == "money"
    assert value["value"] == pytest.approx(35 + 5 - expected.sum(), rel=1e-6)


def test_nobody_changes_and_many_rise() -> None:
    """3,000 persons with steady rates: a fifth of the lows or more rises by chance, net 0 lies in the interval."""
    found = low_to_heavy_conversion(steady())
    gross, chance, value = (found.parts["variant"][k] for k in ("gross", "by_chance", "upgrade_value"))
    assert gross.value > 0.2
    assert found.value == pytest.approx(gross.value - chance.value)
    assert found.low < 0 < found.high
    assert value.low < 0 < value.high
    assert (found.status, found.persons) == ("ok", gross.denominator)


def test_lows_who_really_rise() -> None:
    """A tenth of the lows is lifted to medium, whatever they bought: net rises by about a tenth of the others."""
    years = steady()
    base = low_to_heavy_conversion(years)
    lows = years.index[years["class_before"] == "low"]
    lifted = lows[::10]
    stayed = (years.loc[lifted, "class_now"].isin(["low", "lost"])).sum()
    moved = low_to_heavy_conversion(years.assign(class_now=years["class_now"].mask(years.index.isin(lifted), "medium")))
    assert moved.value - base.value == pytest.approx(stayed / len(lows))
    assert moved.low > 0


def test_the_interval_is_that_of_refits() -> None:
    """Net, computed anew with its models over 16 samples of redrawn persons."""
    years = steady(300, seed=3)
    then = years[years["bought_before"] > 0].reset_index(drop=True)
    found, rng, again = low_to_heavy_conversion(years), np.random.default_rng(2), []
    for _ in range(16):
        own = then.iloc[rng.integers(0, len(then), len(then))].reset_index(drop=True)
        low = (own["class_before"] == "low").to_numpy()
        rose = own["class_now"].isin(["medium", "heavy"]).to_numpy()[low]
        again.append((rose - _Chance(own).to_rise(low)).mean())
    assert (found.high - found.low) / 3.92 == pytest.approx(np.std(again), rel=0.4)


def test_without_lows_or_history() -> None:
    """In the year before nobody bought; and data that do not reach back two years."""
    new = shop(receipt(1, "2024-06-01", 10, "anna"))
    assert figure("low_to_heavy_conversion", new)["status"] == "undefined"
    assert figure("low_to_heavy_conversion", new, data="2023-06-01/2024-12-31")["status"] == "missing_data"
