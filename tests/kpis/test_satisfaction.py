"""Satisfaction with product, programme, contacts and channels, worked by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from kpis.survey_cases import answer, compute, figure, frame, reason
from loyalty_kpis.channel_satisfaction import channel_consistency
from loyalty_kpis.satisfaction import (
    ces,
    csat,
    programme_satisfaction_gap,
    satisfaction_index,
)
from tiny_client import receipt, row, shop

INDEX = ("SAT_OVERALL", "SAT_EXPECT", "SAT_IDEAL")


def test_csat_counts_four_and_five_by_weight() -> None:
    """5 and 4 with weight 1, 3 with 2: 2 of 4, 16/6 effective; mean (5 + 4 + 6) / 4. A blank and a 6 are out."""
    answers = [
        answer("a", "CSAT", 5),
        answer("b", "CSAT", 4),
        answer("c", "CSAT", 3, weight=2.0),
        answer("d", "CSAT", None),
        answer("e", "CSAT", 6),
        answer("a", "CSAT_PROGRAMME", 1),
    ]
    results = compute("csat", *answers)
    found = row(results, "csat")
    assert (found["value"], found["n"], found["numerator"], found["denominator"]) == (0.5, 3, 2, 4)
    assert reason(results, "csat") == {"id": "reason.too_few_effective", "n": 2, "minimum": 30}
    assert figure(results, "csat", "mean_score")[0] == 3.75
    assert figure(results, "csat", "unweighted")[0] == pytest.approx(2 / 3)
    table = results.tables["csat"]
    assert dict(zip(table["standing"], table["answers"], strict=True)) == {
        "counted": 3,
        "off_scale": 1,
        "unanswered": 1,
    }


def test_csat_of_a_hundred() -> None:
    """60 of 100: centre (0.6 + 0.0192073) / 1.0384146 = 0.5963006, half 1.887458 sqrt(0.0024960365) = 0.0942980."""
    found = csat(frame([5] * 60 + [2] * 40))
    assert (found.value, found.status, found.reason) == (0.6, "ok", "")
    assert (found.low, found.high) == pytest.approx((0.5020026, 0.6905986), abs=1e-6)
    assert found.parts["variant"]["mean_score"].value == pytest.approx(3.8)


def test_csat_of_few_is_low_n_though_a_hundred_answered() -> None:
    """3 of 100: the interval is wider than 130 % of the value (rule P)."""
    found = csat(frame([5] * 3 + [2] * 97))
    assert (found.value, found.status) == (0.03, "low_n")
    assert json.loads(found.reason)["id"] == "reason.interval_too_wide"


def test_csat_of_one_survey() -> None:
    rows = pd.concat([frame([5, 5]), frame([1], survey_id="other")], ignore_index=True)
    assert csat(rows).value == pytest.approx(2 / 3)
    assert csat(rows, survey="other").value == 0


def index_answers(rows: dict[str, tuple], weights: dict[str, float] | None = None) -> list[dict]:
    return [
        answer(who, question, score, scale=(1, 10), weight=(weights or {}).get(who, 1.0))
        for who, given in rows.items()
        for question, score in zip(INDEX, given, strict=True)
        if score is not None
    ]


def test_satisfaction_index() -> None:
    """All tens: 100, weight 2; all ones: 0; all fours: 33.3. (200 + 0 + 33.3) / 4. Who lacks an item is left out."""
    rows = {"a": (10, 10, 10), "b": (1, 1, 1), "c": (4, 4, 4), "d": (9, None, 9)}
    results = compute("satisfaction_index", *index_answers(rows, {"a": 2.0}))
    assert figure(results, "satisfaction_index") == (pytest.approx(58.3333333), 3, "low_n")
    table = results.tables["satisfaction_index"]
    assert table["cronbach_alpha"].tolist() == pytest.approx([1, 1, 1])
    assert table["item"].tolist() == ["sat_overall", "sat_expect", "sat_ideal"]


def test_items_that_do_not_agree_are_shown_apart() -> None:
    """Sums 6, 6, 6, 8 with variance 1, items 2/3, 2/3 and 5/3: alpha = 3/2 (1 - 3) = -3. Overall: mean 2, as 100/9."""
    rows = {"a": (1, 3, 2), "b": (2, 1, 3), "c": (3, 2, 1), "d": (2, 2, 4)}
    results = compute("satisfaction_index", *index_answers(rows))
    assert figure(results, "satisfaction_index")[::2] == (None, "undefined")
    assert reason(results, "satisfaction_index") == {
        "text": "Cronbach's alpha is {alpha}, below {minimum}: the three items do not measure one thing and are shown"
        " apart.",
        "alpha": -3.0,
        "minimum": 0.7,
    }
    assert row(results, "satisfaction_index", "sat_overall")["value"] == pytest.approx(100 / 9)
    allowed = compute(
        "satisfaction_index", *index_answers(rows), settings={"satisfaction_index": {"minimum_alpha": -9.0}}
    )
    assert figure(allowed, "satisfaction_index")[0] == pytest.approx((26 / 12 - 1) / 9 * 100)


def test_index_items_on_another_scale_have_no_place() -> None:
    rows = pd.concat([frame([4], q, "1-5") for q in INDEX], ignore_index=True)
    found = satisfaction_index(rows)
    assert (found.status, json.loads(found.reason)["other"]) == ("undefined", 3)


def test_index_interval_by_respondent() -> None:
    """120 respondents, half 100 and half 0: 50 -+ 1.96 * 50 / sqrt(120) = 41.1 to 58.9 but for the draws."""
    rows = pd.concat([frame([10] * 60 + [1] * 60, q, "1-10") for q in INDEX], ignore_index=True)
    found = satisfaction_index(rows)
    assert (found.value, found.status) == (50, "ok")
    assert (found.low, found.high) == pytest.approx((41.1, 58.9), abs=1.0)


def test_satisfied_with_product_and_programme() -> None:
    """Four answer both: yes yes, yes no, no yes, no no; one only the product. Both: 1/4; the difference 0, interval
    (1 + 1) / 6 - (1 + 1) / 6 -+ 1.96 sqrt((4/6) / 6).
    """
    pairs = [(5, 5), (4, 2), (2, 4), (1, 3)]
    answers = [answer("e", "CSAT", 5)]
    for i, (product, programme) in enumerate(pairs):
        answers += [answer(f"p{i}", "CSAT", product), answer(f"p{i}", "CSAT_PROGRAMME", programme)]
    answers.append(answer("p0", "CSAT_PROGRAMME", 1, wave_id="later"))
    results = compute("programme_satisfaction_gap", *answers)
    assert figure(results, "programme_satisfaction_gap") == (0.25, 4, "low_n")
    gap = row(results, "programme_satisfaction_gap", "programme_minus_product")
    assert (gap["value"], gap["unit"]) == (0, "pp")
    assert gap["high"] == pytest.approx(1.959964 / 3, abs=1e-6)
    assert figure(results, "programme_satisfaction_gap", "product")[0] == 0.5


def test_programme_and_product_answered_by_different_people() -> None:
    rows = pd.concat([frame([5]), frame([5], "CSAT_PROGRAMME", respondent_id=["q"])], ignore_index=True)
    assert programme_satisfaction_gap(rows).status == "undefined"
    assert programme_satisfaction_gap(frame([5])).status == "undefined"


TICKETS = [
    {"ticket_id": "t1", "created_at": "2024-05-01 08:00:00", "resolved_at": "2024-05-03 08:00:00"},
    {"ticket_id": "t2", "created_at": "2024-05-01 08:00:00", "resolved_at": None},
]


def test_effort_of_version_two() -> None:
    """7 and 6 make it easy, 3 does not: 2/3. Left out: eight days after the end of t1, without a ticket, and before
    the ticket; 2 May is before t1 was settled but after it was opened. t2 is open: seven days from 1 May.
    """
    easy = {"scale": (1, 7)}
    answers = [
        answer("a", "CES", 7, ticket_id="t1", day="2024-05-04", **easy),
        answer("b", "CES", 6, ticket_id="t1", day="2024-05-02", **easy),
        answer("c", "CES", 3, ticket_id="t2", day="2024-05-07", **easy),
        answer("d", "CES", 1, ticket_id="t1", day="2024-05-11", **easy),
        answer("e", "CES", 1, **easy),
        answer("f", "CES", 1, ticket_id="t1", day="2024-04-30", **easy),
    ]
    results = compute("ces", *answers, tickets=TICKETS)
    assert figure(results, "ces") == (pytest.approx(2 / 3), 3, "low_n")
    assert figure(results, "ces", "mean_score")[0] == pytest.approx(16 / 3)
    longer = compute("ces", *answers, tickets=TICKETS, settings={"ces": {"within_days": 9}})
    assert figure(longer, "ces")[:2] == (0.5, 4)


def test_effort_of_version_one_is_never_mixed_with_version_two() -> None:
    """1.0 asks for effort, low is good: 1, 2 and 5 have the mean 8/3, two of three are low; 2.0 has one answer, 7."""
    one = frame([1, 2, 5], "CES", "1-5 low is good", left_out="scale", days_after=1.0)
    both = pd.concat([one, frame([7], "CES", "1-7", days_after=1.0)], ignore_index=True)
    found = ces(both)
    assert (found.value, found.n) == (1, 1)
    assert found.parts["variant"]["effort_mean_1_0"].value == pytest.approx(8 / 3)
    assert found.parts["variant"]["low_effort_1_0"].value == pytest.approx(2 / 3)
    alone = ces(one)
    assert (alone.value, alone.status) == (None, "undefined")
    assert json.loads(alone.reason)["text"].startswith("All answers are on the scale of CES 1.0")
    assert alone.parts["variant"]["effort_mean_1_0"].value == pytest.approx(8 / 3)


def test_effort_says_what_came_too_late() -> None:
    rows = frame([7] * 100 + [1, 1], "CES", "1-7", days_after=[1.0] * 100 + [7.5, float("nan")])
    found = ces(rows)
    assert (found.value, found.status) == (1, "ok")
    assert json.loads(found.reason) == {
        "text": "{n} answers came without a ticket, before the contact or more than {days} days after it, and are left"
        " out.",
        "n": 2,
        "days": 7,
    }


def channels(**satisfied: tuple[int, int]) -> pd.DataFrame:
    parts = [
        frame([5] * yes + [1] * (n - yes), channel=name, respondent_id=[f"{name}{i}" for i in range(n)])
        for name, (yes, n) in satisfied.items()
    ]
    return pd.concat(parts, ignore_index=True)


PRICES = pd.DataFrame({"business_date": ["2024-05-01"], "product_days": [8], "mismatched": [2]})


def test_spread_between_channels() -> None:
    """40 answers each, 1/4, 1/2 and 3/4 satisfied. After four more: 12/44, 22/44, 32/44, variances 0.00450789,
    0.00568182, 0.00450789, weights 221.833, 176, 221.833. Q = 2 * 221.833 / 16 = 27.7292, C = 619.667 - 129396 /
    619.667 = 410.851: tau = sqrt(25.7292 / 410.851) = 0.250247. A channel of 29 answers is left out; the range is 1/2.
    """
    rows = channels(app=(10, 40), store=(20, 40), web=(30, 40), fax=(29, 29))
    found = channel_consistency(rows, PRICES)
    assert found.value == pytest.approx(0.250247, abs=1e-5)
    assert found.low <= found.value <= found.high
    further = found.parts["variant"]
    assert further["range"].value == pytest.approx(0.5)
    prices = further["price_mismatch_share"]
    assert (prices.value, prices.numerator, prices.denominator) == (0.25, 2, 8)
    assert found.table["channel"].tolist() == ["app", "fax", "store", "web"]


def test_two_channels_are_too_few() -> None:
    found = channel_consistency(channels(app=(10, 40), web=(30, 40)), PRICES.iloc[:0])
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason) == {
        "text": "Only {n} channels have at least {minimum} effective answers; 3 are needed.",
        "n": 2,
        "minimum": 30,
    }
    assert found.parts["variant"]["price_mismatch_share"].status == "undefined"
    assert found.parts["variant"]["range"].value == pytest.approx(0.5)


def test_spread_within_a_touchpoint() -> None:
    rows = channels(app=(30, 40), store=(30, 40), web=(30, 40)).assign(touchpoint_type="website")
    found = channel_consistency(rows, PRICES)
    assert (found.value, found.parts["touchpoint_type"]["website"].value) == (0, 0)


def test_prices_of_one_product_on_one_day() -> None:
    """Pen: 10 in the store, 12 on the web: apart. Ink: 5, and two for 10: alike. Pad: 100 and 100.50: within 1 %.
    A return, a test and a product sold in one channel count for nothing.
    """
    sold = [("pen", 10, 1, "store"), ("pen", 12, 1, "web"), ("ink", 5, 1, "store"), ("ink", 10, 2, "web")]
    sold += [("pad", 100, 1, "store"), ("pad", 100.5, 1, "web"), ("cap", 7, 1, "store"), ("cap", -9, -1, "web")]
    receipts = [
        receipt(i, "2024-05-01", gross, "a", product_id=what, gross_amount=gross, quantity=n, channel=where)
        for i, (what, gross, n, where) in enumerate(sold)
    ]
    receipts.append(
        receipt(9, "2024-05-01", 1, "a", product_id="ink", gross_amount=1, quantity=1, channel="app", is_test=True)
    )
    results = compute("channel_consistency", answer("a", "CSAT", 5, channel="store"), bought=shop(*receipts))
    found = row(results, "channel_consistency", "price_mismatch_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(1 / 3), 1, 3)
    settings = {"channel_price_days": {"tolerance": 0.3}}
    wide = compute("channel_consistency", answer("a", "CSAT", 5), bought=shop(*receipts), settings=settings)
    assert figure(wide, "channel_consistency", "price_mismatch_share")[0] == 0
