"""Share of wallet and first choice: worked by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from kpibook.stats.intervals import wilson
from kpis.customer_cases import results, view_rows
from loyalty_kpis.wallet import first_choice_rate, share_of_wallet
from tiny_client import receipt, row, shop

COLUMNS = ["respondent_id", "category_id", "brand", "is_own", "is_marketplace", "spend", "preference_rank", "weight"]


def _panel(*rows: tuple, times: int = 1, customers: bool = True) -> pd.DataFrame:
    """Rows of COLUMNS, each respondent ``times`` over."""
    frame = pd.concat([pd.DataFrame(rows, columns=COLUMNS).assign(copy=i) for i in range(times)], ignore_index=True)
    name = frame["respondent_id"] + "-" + frame["copy"].astype(str)
    return frame.assign(respondent_id=name, wave_id="w", customer_id=name if customers else None)


TWO = (
    ("a", "food", "ours", True, False, 30.0, 1, 1.0),
    ("a", "food", "other", False, False, 30.0, 2, 1.0),
    ("a", "wine", "market", False, True, 40.0, 1, 1.0),
    ("b", "food", "ours", True, False, 90.0, 2, 3.0),
    ("b", "food", "other", False, False, 10.0, 1, 3.0),
)


def test_share_of_wallet() -> None:
    """A leaves 30 of 100, b, who counts three times, 90 of 100: (0.3 + 3 * 0.9) / 4 = 0.75. By volume (30 + 270) / 400
    is the same here. Marketplaces are used by a alone: 0.3. Ranks: a is first of two in food, (1 - 1/3) * 2/2 = 2/3,
    and not among the brands of wine, 0; mean 1/3. B is second of two: (1 - 2/3) = 1/3. (1/3 + 3 * 1/3) / 4 = 1/3.
    """
    found = share_of_wallet(_panel(*TWO, times=60))
    assert (found.value, found.n, found.status) == (pytest.approx(0.75), 120, "ok")
    assert found.low < 0.75 < found.high
    parts = found.parts["variant"]
    assert parts["by_volume"].value == pytest.approx(0.75)
    assert (parts["marketplace_users"].value, parts["marketplace_users"].n) == (pytest.approx(0.3), 60)
    assert parts["marketplace_users"].status == "low_n"
    rule = parts["allocation_rule"]
    assert (rule.value, json.loads(rule.reason)) == (pytest.approx(1 / 3), {"text": "Modelled from preference ranks."})


def test_volume_is_not_the_mean_of_shares() -> None:
    """A big spender: 30 of 100 and 900 of 1000. Mean of shares 0.6, by volume 930/1100."""
    rows = (
        *TWO[:3],
        ("b", "food", "ours", True, False, 900.0, 1, 1.0),
        ("b", "food", "x", False, False, 100.0, 2, 1.0),
    )
    found = share_of_wallet(_panel(*rows, times=60))
    assert found.value == pytest.approx(0.6)
    assert found.parts["variant"]["by_volume"].value == pytest.approx(930 / 1100)


def test_without_spend_the_ranks_are_all_there_is() -> None:
    """Of n = 1 brand the whole wallet; of three ranked 1, 2, 2 (shared rank 2.5): (1 - 2.5/4) * 2/3 = 1/4. Mean 5/8."""
    rows = (
        ("a", "food", "ours", True, False, None, 1, 1.0),
        ("b", "food", "x", False, False, None, 1, 1.0),
        ("b", "food", "ours", True, False, None, 2, 1.0),
        ("b", "food", "y", False, False, None, 2, 1.0),
    )
    found = share_of_wallet(_panel(*rows, times=50))
    assert (found.value, found.status) == (pytest.approx(5 / 8), "ok")
    assert json.loads(found.reason) == {"text": "Modelled from preference ranks: no spend was asked."}


def test_who_is_no_customer_has_no_wallet_of_ours() -> None:
    """Of a panel of strangers b does not use us: left out, and a's 30 of 100 remain."""
    rows = (*TWO[:3], ("b", "food", "x", False, False, 100.0, 1, 1.0))
    found = share_of_wallet(_panel(*rows, times=100, customers=False))
    assert (found.value, found.n) == (pytest.approx(0.3), 100)
    known = share_of_wallet(_panel(*rows, times=100))
    assert (known.value, known.n) == (pytest.approx(0.15), 200)


@pytest.mark.parametrize(("times", "status", "shown"), [(14, "low_n", False), (15, "low_n", True), (50, "ok", True)])
def test_share_of_wallet_from_30_and_100_respondents(times: int, status: str, shown: bool) -> None:
    found = share_of_wallet(_panel(*TWO, times=times))
    assert (found.status, found.value is not None) == (status, shown)
    if status == "low_n":
        assert json.loads(found.reason)["minimum"] == (100 if shown else 30)


def test_nobody_asked() -> None:
    empty = _panel(*TWO).iloc[:0]
    assert share_of_wallet(empty).status == "undefined"
    assert first_choice_rate(empty, NOBODY).status == "undefined"


NOBODY = pd.DataFrame({"customer_id": [], "is_best": [], "weight": []})


def test_first_choice_rate() -> None:
    """A ranks us first beside another in food (1/2) and does not use us for wine (0): 1/4. B, twice as heavy, ranks us
    first alone. C does not rank anything and is not counted. (1/4 + 2) / 3 = 0.75. The quarters scatter less than yes
    and no, by (60 (1/2)² + 120 (1/4)²) / 180 = 1/8 an answer: the interval is that of 120 (3/16) / (1/8) = 180 answers.
    n_eff of 40 + 40 answers with weights 1 and 2 is 120² / (40 + 160) = 72.
    """
    rows = (
        ("a", "food", "ours", True, False, 1.0, 1, 1.0),
        ("a", "food", "x", False, False, 1.0, 1, 1.0),
        ("a", "wine", "y", False, False, 1.0, 1, 1.0),
        ("b", "food", "ours", True, False, 1.0, 1, 2.0),
        ("b", "food", "x", False, False, 1.0, 2, 2.0),
        ("c", "food", "ours", True, False, 1.0, None, 1.0),
    )
    found = first_choice_rate(_panel(*rows, times=60), NOBODY)
    assert (found.value, found.n, found.status) == (pytest.approx(0.75), 120, "ok")
    p, n, z = 0.75, 180.0, 1.959964
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=1e-5)
    fewer = first_choice_rate(_panel(*rows, times=40), NOBODY)
    assert (fewer.status, json.loads(fewer.reason)) == (
        "low_n", {"id": "reason.too_few_effective", "n": 72, "minimum": 100}
    )  # fmt: skip
    hidden = first_choice_rate(_panel(*rows, times=16), NOBODY)
    assert (hidden.status, hidden.value, json.loads(hidden.reason)["minimum"]) == ("low_n", None, 30)


def _asked(**more: object) -> dict:
    rows = [
        ("r1", "2024-02-01", 1, 1.0), ("r2", "2024-02-01", 0, 1.0), ("r3", "2024-02-01", 2, 1.0),
        ("r4", "2023-02-01", 1, 1.0), ("r5", "2024-02-01", 1, 2.0),
    ]  # fmt: skip
    answers = [
        {"response_id": name, "wave_id": day[:4], "customer_id": name, "ts": f"{day} 10:00:00", "score": score}
        | {"weight": weight, "question_code": "FIRST_CHOICE", "scale_min": 0, "scale_max": 1, "higher_is_better": True}
        for name, day, score, weight in rows
    ]
    brands = [
        {"wave_id": wave, "respondent_id": who, "customer_id": who, "category_id": "c", "brand": brand}
        | {"is_own": brand == "ours", "is_marketplace": False, "spend": spend, "preference_rank": rank}
        for wave, who, brand, spend, rank in (
            ("2024", "r5", "ours", 30, 1), ("2024", "r5", "x", 70, 2), ("2024", "r5", "y", 0, 3),
            ("2023", "r4", "ours", 10, 1), ("1999", "r1", "ours", 5, 1), ("2024", "z", "ours", None, None),
        )
    ]  # fmt: skip
    return shop(receipt(1, "2024-01-01", 10), survey_responses=answers, competitor_panel=brands) | more


def test_first_choice_asked() -> None:
    """2024: of weights 1, 1 and 2 best answers with 1 and 2; a score outside the scale is none."""
    found = row(results("first_choice_rate", _asked()), "first_choice_rate", "asked")
    assert [found[k] for k in ("value", "numerator", "denominator", "status")] == [None, 3, 4, "low_n"]


def test_a_customer_asked_twice_is_one_customer() -> None:
    """100 customers of whom 50 say yes twice have the interval of 100 answers; 200 strangers that of 200."""
    customers = pd.DataFrame(
        {"customer_id": [f"c{i // 2}" for i in range(200)], "is_best": [True, True, False, False] * 50}
    )
    strangers = customers.assign(customer_id=None)
    found, apart = (
        first_choice_rate(_panel(*TWO).iloc[:0], answers.assign(weight=1.0)).parts["variant"]["asked"]
        for answers in (customers, strangers)
    )
    assert (found.low, found.high, found.persons) == pytest.approx((*wilson(50, 100), 100))
    assert (apart.low, apart.high, apart.persons) == pytest.approx((*wilson(100, 200), 200))


def test_waves_belong_to_the_period_of_their_answers() -> None:
    """The wave of 2024 is answered in 2024, with r5's weight of 2, z's of 1; the wave of 1999, never answered, counts
    now; the one of 2023 belongs to the year before. Brands without spend are not used.
    """
    found = view_rows("panel_brands", "share_of_wallet", _asked())
    rows = sorted((r.wave_id, r.respondent_id, r.brand, r.weight) for r in found.itertuples())
    assert rows == [
        ("1999", "r1", "ours", 1),
        ("2024", "r5", "ours", 2),
        ("2024", "r5", "x", 2),
        ("2024", "z", "ours", 1),
    ]


def test_a_panel_without_a_survey() -> None:
    """With weighted false no answer is looked for; everything counts now, with weight 1."""
    tables = _asked(survey_responses=[])
    found = view_rows("panel_brands", "share_of_wallet", tables, settings={"panel_brands": {"weighted": False}})
    assert (len(found), set(found["weight"])) == (5, {1.0})
    assert row(results("share_of_wallet", tables), "share_of_wallet")["status"] == "missing_data"
