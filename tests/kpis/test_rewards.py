"""Reward KPIs, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpis.points_cases import Ledger, computed, membership, reward, rules, value
from loyalty_kpis import rewards
from tiny_client import receipt, row, shop

DATA = {"data": "2023-01-01/2024-12-31"}
YEAR = "2024-01-01/2024-12-31"
#: ann has enough points after 22 days, cid after 370; bob closes his card before; dan joined before the data begin.
MEMBERS = [
    membership("ann", "2023-01-10"),
    membership("bob", "2023-02-01", "2023-08-01"),
    membership("cid", "2023-06-01"),
    membership("dan", "2022-06-01"),
]
POINTS = (
    Ledger()
    .book("2023-01-20", "ann", "earn", 90, "A1")
    .book("2023-02-01", "ann", "earn", 10, "A2")
    .book("2023-03-01", "ann", "redeem", -100)
    .book("2023-03-01", "bob", "earn", 150, "B1")
    .book("2023-03-01", "bob", "reverse", -100, "B1")
    .book("2023-09-01", "cid", "earn", 70, "C1")
    .book("2024-06-05", "cid", "earn", 30, "C2")
    .book("2024-05-05", "dan", "bonus", 130, "D1")
    .book("2024-05-06", "dan", "reverse", -10, "D1")
    .rows
)
BOUGHT = shop(
    receipt(1, "2024-02-01", 60, "cid", member_id="cid"),
    receipt(2, "2024-03-01", 40, "cid", member_id="cid"),
    receipt(3, "2024-03-01", 25, "dan", member_id="dan"),
    receipt(4, "2024-03-02", 500, "dan"),
    receipt(5, "2023-12-31", 500, "dan", member_id="dan"),
)
TABLES = {
    **BOUGHT,
    "memberships": MEMBERS,
    "points_ledger": POINTS,
    "programme_rules": [rules(points_per_currency=2)],
    "redemptions": [
        reward("2023-03-01", "ann", 1),
        reward("2024-07-05", "cid", 1, number=2),
        reward("2024-08-01", "ann", 1, number=3),
        reward("2024-08-01", "dan", 1, number=4),
    ],
}


def test_redeeming_members() -> None:
    """Known from enrolment on: ann (first reward after 50 days), bob (none in 180 days, then closed), cid (after 400).
    One year: 1 of 3. With enough points: ann 28 days after she had them, cid 30; bob's 150 were 50 at night.
    """
    results = computed(("redeemer_rate",), TABLES, YEAR, **DATA)
    found = row(results, "redeemer_rate")
    assert found["value"] == pytest.approx(1 / 3)
    assert (found["n"], found["status"]) == (3, "low_n")
    assert json.loads(found["reason"]) == {"id": "reason.too_few_at_risk", "n": 1, "minimum": 30}
    able = row(results, "redeemer_rate", "with_enough_points")
    assert (able["value"], able["n"]) == (1, 2)
    early = {"redeemer_rate": {"at_days": 29}}
    results = computed(("redeemer_rate",), TABLES, YEAR, settings=early, **DATA)
    assert value(results, "redeemer_rate", "with_enough_points") == 0.5


def test_members_still_open_are_censored_at_the_end_of_the_period() -> None:
    """Until 20 February 2023 ann was seen for 41 days and bob for 19; nobody had a reward yet."""
    results = computed(("redeemer_rate",), TABLES, "2023-02-01/2023-02-20", **DATA)
    assert (value(results, "redeemer_rate"), row(results, "redeemer_rate")["n"]) == (0, 2)
    assert results.tables["redeemer_rate"]["time"].tolist() == [19, 41]


def test_thirty_members_seen_for_a_year_are_enough() -> None:
    """40 members joined in January 2023; 12 took a reward after ten days, the others never: 12 of 40."""
    members = [membership(f"m{i}", "2023-01-05") for i in range(42)]
    taken = [reward("2023-01-15", f"m{i}", 1, number=i) for i in range(12)]
    results = computed(("redeemer_rate",), {"memberships": members, "redemptions": taken}, YEAR, **DATA)
    found = row(results, "redeemer_rate")
    assert (found["value"], found["n"], found["status"]) == (pytest.approx(12 / 42), 42, "ok")


def test_effort_to_first_reward() -> None:
    """Days to 100 points: ann 22, cid 370, bob none in 180 before he closed; dan is not known from the beginning. After
    22 days 2 of 3 are left, at 370 one is at risk: the median is 370. The rules ask for 100/2 = 50 of spend: at the
    125/3 of an average purchase with card in 2024 these are 1.2. In the year to the end ann earned nothing, cid 30, dan
    120 net: one of three (bob has left) reaches 100 in a year.
    """
    results = computed(("effort_to_first_reward",), TABLES, YEAR, **DATA)
    found = row(results, "effort_to_first_reward")
    assert (found["value"], found["unit"], found["status"]) == (370, "days", "low_n")
    for name, expected, unit in (
        ("spend", 50, "money"),
        ("purchases", 1.2, "purchases"),
        ("reachable", 1 / 3, "percent"),
    ):
        variant = row(results, "effort_to_first_reward", name)
        assert (variant["value"], variant["unit"]) == (pytest.approx(expected), unit)
    reach = row(results, "effort_to_first_reward", "reachable")
    assert (reach["numerator"], reach["denominator"]) == (1, 3)


@pytest.mark.parametrize(
    ("terms", "there"),
    [
        ({"expiry_days": 1217}, 2),
        ({"expiry_days": 1216}, 1),
        ({"expiry_days": None}, 2),
        ({"first_reward_points": 121}, 0),
    ],
    ids=["just", "just not", "points without end", "too dear"],
)
def test_within_reach_before_points_expire(terms: dict[str, Any], there: int) -> None:
    """cid earns 30 a year: 100 take 1,216.7 days; points that never expire are reached by whoever earns any."""
    tables = {**TABLES, "programme_rules": [rules(points_per_currency=2, **terms)]}
    results = computed(("effort_to_first_reward",), tables, YEAR, **DATA)
    assert row(results, "effort_to_first_reward", "reachable")["numerator"] == there


def test_who_is_within_reach_in_both_years_does_not_move_the_change() -> None:
    """Of 40 members 20 are within reach in 2023, these and 10 more in 2024: +25 points. Wilson's intervals are 0.598060
    to 0.858129 and 0.351995 to 0.648005, the correlation (20 x 10 - 10 x 0) / sqrt(30 x 10 x 20 x 20) = 0.577350.
    Squared and added (Newcombe 1998, paired): 0.25 - sqrt(0.151940^2 - 2 x 0.577350 x 0.151940 x 0.148005 +
    0.148005^2) = 0.112071, and 0.25 + sqrt(0.108129^2 - 2 x 0.577350 x 0.108129 x 0.148005 + 0.148005^2) = 0.372955.
    """
    members = [membership(f"m{i:02d}", "2022-12-01") for i in range(40)]
    ledger = Ledger()
    for i in range(30):
        ledger.book("2024-06-05", f"m{i:02d}", "earn", 150, f"B{i}")
        if i < 20:
            ledger.book("2023-06-05", f"m{i:02d}", "earn", 150, f"A{i}")
    tables = {**TABLES, "memberships": members, "points_ledger": ledger.rows}
    results = computed(("effort_to_first_reward",), tables, YEAR, "2023-01-01/2023-12-31", **DATA)
    found = row(results, "effort_to_first_reward", "reachable")
    assert (found["value"], found["n"], found["change"]) == (0.75, 40, pytest.approx(0.25))
    assert found["change_low"] == pytest.approx(0.112071, abs=1e-6)
    assert found["change_high"] == pytest.approx(0.372955, abs=1e-6)


def test_the_pace_of_new_members_is_not_known() -> None:
    """Of cid (enrolled 1 June 2023) after 89 and after 90 days; dan and ann are known."""
    for last, known in (("2023-08-28", 2), ("2023-08-29", 3)):
        results = computed(("effort_to_first_reward",), TABLES, f"2023-08-01/{last}", **DATA)
        assert row(results, "effort_to_first_reward", "reachable")["denominator"] == known


def test_rules_change() -> None:
    """When cid has his 100 points on 5 June 2024, 101 are asked for; ann had hers before. Of three one is there and two
    never were: no median. Another programme's rules are not theirs.
    """
    versions = [
        rules(valid_to="2024-06-04"),
        rules(valid_from="2024-06-05", first_reward_points=101),
        rules(first_reward_points=1, programme_id="other"),
    ]
    results = computed(("effort_to_first_reward",), {**TABLES, "programme_rules": versions}, YEAR, **DATA)
    found = row(results, "effort_to_first_reward")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {"id": "reason.curve_does_not_cross"}
    assert value(results, "effort_to_first_reward", "spend") == 101


REWARDING = {
    **shop(
        receipt(1, "2024-02-01", 95, "ann", member_id="ann", gross_amount=100, loyalty_discount=5, line_id="sold"),
        receipt(2, "2025-01-02", -19, "ann", gross_amount=-20, loyalty_discount=-1, return_of_line_id="sold"),
        receipt(3, "2024-03-01", 48, "bob", member_id="bob", gross_amount=50, personal_discount=2),
        receipt(4, "2024-03-02", 21, gross_amount=30, loyalty_discount=9),
        receipt(5, "2024-03-03", 21, "bob", gross_amount=30, loyalty_discount=9),
    ),
    "points_ledger": Ledger()
    .book("2024-02-01", "ann", "earn", 100, "A")
    .book("2024-02-05", "ann", "reverse", -20, "A")
    .book("2024-02-06", "ann", "adjust", 30, "K")
    .rows,
    "redemptions": [reward("2024-05-05", "ann", 3, 5), reward("2025-01-05", "ann", 3, 5, number=2)],
    "memberships": [membership("ann", "2023-01-01"), membership("bob", "2023-01-01")],
    "programme_rules": [rules()],
}


def test_reward_rate() -> None:
    """With card: ann 100 - 20 with 5 - 1 of discount, bob 50 with 2; not the purchases without card. One reward of 5 in
    2024: 11 of 130. Promised: 80 points of 0.01 in the place of the reward, 6.8 of 130; half of the points, as all of
    them are open and nothing else is known: 6.4 of 130.
    """
    results = computed(("reward_rate",), REWARDING, YEAR, data="2024-01-01/2025-01-31")
    found = row(results, "reward_rate")
    assert (found["numerator"], found["denominator"], found["status"]) == (11, 130, "low_n")
    assert found["value"] == pytest.approx(11 / 130)
    assert value(results, "reward_rate", "nominal") == pytest.approx(6.8 / 130)
    assert value(results, "reward_rate", "effective") == pytest.approx(6.4 / 130)


def test_nothing_spent_with_card() -> None:
    headers = [{**header, "member_id": None} for header in REWARDING["transactions"]]
    results = computed(("reward_rate",), {**REWARDING, "transactions": headers}, YEAR, data="2024-01-01/2025-01-31")
    found = row(results, "reward_rate")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {"id": "reason.zero_denominator"}


def _said(who: str | None, question: str, score: float, weight: float = 1, **more: Any) -> dict[str, Any]:
    return {
        "response_id": f"{question} {who} {more}",
        "survey_id": "s",
        "wave_id": "w",
        "respondent_type": "customer",
        "customer_id": who,
        "ts": "2024-06-01 10:00:00",
        "question_code": question,
        "scale_min": 1,
        "scale_max": 7,
        "score": score,
        "weight": weight,
        **more,
    }


def _pair(who: str | None, got: float, asked: float, weight: float = 1, **more: Any) -> list[dict[str, Any]]:
    return [_said(who, "REWARD", got, weight, **more), _said(who, "EFFORT", asked, weight, **more)]


SPENDERS = shop(*(receipt(i, "2024-02-01", 10 * i, f"c{i}", member_id=f"c{i}") for i in range(1, 11)))
OPINIONS = [
    *_pair("c1", 5, 3),
    *_pair("c2", 2, 4, 3),
    _said("c3", "REWARD", 7),
    *_pair("c4", 9, 1),
    *_pair("c6", 4, 4),
    *_pair("c7", 5, 10, scale_min=0, scale_max=10),
    *_pair("c9", 7, 1),
    *_pair(None, 7, 1),
    *_pair("c8", 1, 7, respondent_type="market_panel"),
    *_pair("c5", 1, 7, ts="2023-06-01 10:00:00"),
]
BALANCE = {
    **SPENDERS,
    "survey_responses": OPINIONS,
    "memberships": [membership(f"c{i}", "2023-01-01") for i in range(1, 11)],
    "points_ledger": [
        entry
        for i in range(1, 11)
        for entry in Ledger().book("2024-02-01", f"c{i}", "earn", 30 * i, f"L{i}", entry_id=f"e{i}").rows
    ],
    "programme_rules": [rules()],
}


def test_effort_reward_balance() -> None:
    """Spends of 10 to 100: c1 to c5 are low, to c8 medium, c9 and c10 heavy users. Low: c1 (weight 1) finds it worth
    it, c2 (weight 3) does not: 1/4. Medium: c6 does, c7 (5 and 10 on 0 to 10 are 4 and 7) does not: 1/2. Heavy: c9. Not
    counted: c3 (one item), c4 (off the scale), nameless, a panel, another year. All: 3 of 7. Reward less effort:
    (2 - 3·2 + 0 - 3 + 6)/7. 100 points in reach of 30·i a year: from c4 on, of the low users 2 of 5.
    """
    results = computed(("effort_reward_balance",), BALANCE, YEAR, **DATA)
    found = row(results, "effort_reward_balance")
    assert (found["value"], found["status"]) == (0.25, "low_n")
    assert (found["numerator"], found["denominator"]) == (1, 4)
    assert value(results, "effort_reward_balance", "everybody") == pytest.approx(3 / 7)
    assert value(results, "effort_reward_balance", "difference") == pytest.approx(-1 / 7)
    assert value(results, "effort_reward_balance", "lowest_reachable") == pytest.approx(0.4)
    assert row(results, "effort_reward_balance", "balanced")["status"] == "low_n"
    table = results.tables["effort_reward_balance"].to_dict("list")
    assert table == {
        "usage_class": ["low", "medium", "heavy"],
        "perceived": [0.25, 0.5, 1.0],
        "reachable": [0.4, 1.0, 1.0],
    }


def _opinions(**classes: tuple[int, int]) -> pd.DataFrame:
    """``low=(30, 60)``: of 60 low users 30 find the reward worth the effort (5 to 3), the others do not (2 to 4)."""
    rows = [
        (f"{name}{i}", *((5.0, 3.0) if i < worth else (2.0, 4.0)), 1.0, name)
        for name, (worth, size) in classes.items()
        for i in range(size)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "reward", "effort", "weight", "usage_class"])


def _reach(**classes: tuple[int, int]) -> pd.DataFrame:
    rows = [(name, members, there) for name, (there, members) in classes.items()]
    return pd.DataFrame(rows, columns=["usage_class", "members", "reachable"])


ALL_REACH = _reach(low=(60, 100), medium=(90, 100), heavy=(100, 100))


def test_balanced_in_every_class() -> None:
    """Low users: 33 of 60, 55 %; reachable for 60 %. Wilson by hand: centre (0.55 + 1.92/60)/(1 + 3.84/60) = 0.547."""
    found = rewards.effort_reward_balance(_opinions(low=(33, 60), medium=(50, 60), heavy=(60, 60)), ALL_REACH)
    assert (found.value, found.n, found.status) == (0.55, 60, "ok")
    assert (found.low + found.high) / 2 == pytest.approx((0.55 + 1.9207 / 60) / (1 + 3.8415 / 60), abs=1e-4)
    assert found.parts["variant"]["balanced"].value == 1
    assert found.parts["variant"]["lowest_reachable"].value == 0.6


@pytest.mark.parametrize(
    ("opinions", "reach", "balanced"),
    [
        (_opinions(low=(29, 60), medium=(60, 60), heavy=(60, 60)), ALL_REACH, 0),
        (
            _opinions(low=(60, 60), medium=(60, 60), heavy=(60, 60)),
            _reach(low=(49, 100), medium=(9, 9), heavy=(99, 99)),
            None,
        ),
        (
            _opinions(low=(60, 60), medium=(60, 60), heavy=(60, 60)),
            _reach(low=(49, 100), medium=(99, 99), heavy=(99, 99)),
            0,
        ),
    ],
    ids=["one class not convinced", "too few members in a class", "out of reach of one class"],
)
def test_an_average_cannot_hide_a_class(opinions: pd.DataFrame, reach: pd.DataFrame, balanced: Any) -> None:
    """149 of 180 are convinced in the first case, but of the low users 29 of 60."""
    found = rewards.effort_reward_balance(opinions, reach)
    assert found.parts["variant"]["everybody"].value > 0.5
    assert found.parts["variant"]["balanced"].value == balanced


def test_a_class_without_respondents_leaves_the_answer_open() -> None:
    found = rewards.effort_reward_balance(_opinions(low=(60, 60), heavy=(60, 60)), ALL_REACH)
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason) == {"text": rewards.UNKNOWN, "usage_class": "medium"}
    assert found.parts["variant"]["everybody"].value == 1


def test_weights_lower_the_number_of_respondents() -> None:
    """59 weights of 1 and one of 59: (118)^2 / (59 + 59^2) = 3.9 in effect."""
    opinions = _opinions(low=(60, 60), medium=(60, 60), heavy=(60, 60))
    opinions.loc[0, "weight"] = 59.0
    low = rewards.effort_reward_balance(opinions, ALL_REACH).parts["usage_class"]["low"]
    assert (low.n, low.status) == (int(118**2 / (59 + 59**2)), "low_n")


def test_the_difference_has_an_interval() -> None:
    """Half +2, half -2 of 100 respondents: mean 0, standard error 2/10; the bootstrap comes near it."""
    found = rewards.effort_reward_balance(_opinions(low=(50, 100)), ALL_REACH).parts["variant"]["difference"]
    assert found.value == 0
    assert (found.low, found.high) == (pytest.approx(-0.392, abs=0.06), pytest.approx(0.392, abs=0.06))
    assert not np.isnan(found.low)
