"""Individual discounts and the score behind them: by hand, by inverse probability, and on dice."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kpibook.stats import qini
from kpis.campaign_case import MARCH, TABLES, TARGETS, cases, hand_case
from loyalty_kpis import trials
from loyalty_kpis.targeting import NO_OFFER, OFFER_NOT_RANDOM, ONE_OFFER, personalised_discount_effect, uplift_qini
from tiny_client import only, row, run

EFFECT = "personalised_discount_effect"


def _offers(**sizes: tuple[float, float, float]) -> pd.DataFrame:
    """Cases of one campaign: name -> (persons, probability of what they got, offer value); margin = offer + 1."""
    rows = [(offer, chance) for size, chance, offer in sizes.values() for _ in range(int(size))]
    offer, chance = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    frame = cases(len(rows), is_treated=offer > 0, assignment_prob=chance, margin_after=offer + 1)
    return frame.assign(offer_value=np.where(offer > 0, offer, np.nan))


def test_margin_after_discount_by_hand() -> None:
    """Net minus both costs until 60 days after the window: tom 20 - 9 = 11, tina 6, theo 6, tess 0: 5.75; cora
    11 - 5 = 6, the others 0: 1.5. Everybody was offered the same, so there is no other policy.
    """
    found = row(hand_case(), EFFECT)
    assert (found["value"], found["unit"], found["status"]) == (pytest.approx(4.25), "money", "low_n")
    assert row(hand_case(), EFFECT, "policy_individual")["value"] == pytest.approx(5.75)
    assert row(hand_case(), EFFECT, "policy_none")["value"] == pytest.approx(1.5)
    same = row(hand_case(), EFFECT, "policy_same_for_all")
    assert (same["value"], same["status"], same["reason"]) == (None, "not_identified", ONE_OFFER)


def test_without_an_individual_offer() -> None:
    tables = {**TABLES, "campaign_targets": [{**t, "offer_value": None} for t in TARGETS]}
    found = row(run(tables, **MARCH, catalog=only(EFFECT)), EFFECT)
    assert (found["value"], found["status"], found["reason"]) == (None, "not_identified", NO_OFFER)


def test_without_random_controls() -> None:
    tables = {**TABLES, "campaign_targets": [{**t, "is_random": False} for t in TARGETS]}
    found = row(run(tables, **MARCH, catalog=only(EFFECT)), EFFECT)
    assert (found["value"], found["status"], found["reason"]) == (None, "not_identified", trials.NO_CONTROL)


def test_same_discount_for_all_where_the_discount_was_drawn() -> None:
    """400 persons: 2 with probability 1/2, 6 with 1/4, none with 1/4. Those with the most frequent one, 2, stand for
    200 / (1/2) = 400: everybody with it is worth 2 + 1. None: 1.
    """
    found = personalised_discount_effect(_offers(two=(200, 0.5, 2), six=(100, 0.25, 6), none=(100, 0.25, 0)))
    readings = found.parts["variant"]
    assert readings["policy_same_for_all"].value == pytest.approx(3)
    assert readings["policy_none"].value == pytest.approx(1)
    assert found.status == "low_n"


def test_same_discount_for_all_where_a_rule_chose_it() -> None:
    """The arm was drawn (3/4), the discount was not: 200 / (3/4) = 267 of 400, far from all."""
    found = personalised_discount_effect(_offers(two=(200, 0.75, 2), six=(100, 0.75, 6), none=(100, 0.25, 0)))
    same = found.parts["variant"]["policy_same_for_all"]
    assert (same.value, same.status, same.reason) == (None, "not_identified", OFFER_NOT_RANDOM)
    # treated on average (200 * 3 + 100 * 7) / 300
    assert found.value == pytest.approx(1300 / 300 - 1)


def test_controls_that_contradict_their_probability() -> None:
    """100 controls at one half each stand for 200 of 400."""
    found = personalised_discount_effect(_offers(two=(300, 0.5, 2), none=(100, 0.5, 0)))
    assert (found.status, found.reason) == ("not_identified", trials.UNEQUAL)


def test_effect_over_two_campaigns_counts_the_treated() -> None:
    """3 for the 300 treated of one, 5 for the 100 of the other: (3 * 300 + 5 * 100) / 400 = 3.5."""
    one = _offers(three=(300, 0.5, 3), none=(300, 0.5, 0))
    two = _offers(five=(100, 0.5, 5), none=(100, 0.5, 0)).assign(campaign_id="l")
    found = personalised_discount_effect(pd.concat([one, two], ignore_index=True))
    assert found.value == pytest.approx(3.5)
    assert {name: part.value for name, part in found.parts["campaign"].items()} == pytest.approx({"k": 3, "l": 5})


def _scored(n: int, good: bool, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    uplift, treated = rng.random(n) * 0.5, rng.random(n) < 0.5
    bought = (rng.random(n) < 0.2 + uplift * treated).astype(int)
    score = uplift if good else rng.random(n)
    return cases(n, is_treated=treated, purchases=bought, predicted_uplift=score)


def test_qini_is_that_of_the_statistic() -> None:
    frame = _scored(5200, good=True)
    found = uplift_qini(frame)
    treated, answered = frame["is_treated"].to_numpy(), frame["purchases"].to_numpy(float)
    expected = qini.coefficient(frame["predicted_uplift"].to_numpy(), answered, treated, np.ones(len(frame)))
    assert found.value == pytest.approx(expected)
    assert (found.status, found.grade) == ("ok", "A")
    assert 0 < found.low < found.value < found.high
    assert list(found.table["part"]) == pytest.approx(list(np.arange(11) / 10))
    assert found.table["gain"].iloc[0] == 0
    whole = (frame["purchases"][treated].mean()) - frame["purchases"][~treated].mean()
    assert found.table["gain"].iloc[-1] == pytest.approx(whole)


def test_qini_of_dice_holds_zero_and_few_cases_are_said() -> None:
    found = uplift_qini(_scored(2000, good=False))
    assert found.low < 0 < found.high
    assert (found.status, json.loads(found.reason)) == (
        "low_n",
        {"id": "reason.too_few_cases", "n": 2000, "minimum": 5000},
    )


def test_qini_counts_campaigns_by_their_cases() -> None:
    one, two = _scored(600, good=True), _scored(1200, good=True, seed=3).assign(campaign_id="l")
    found = uplift_qini(pd.concat([one, two], ignore_index=True))
    alone = [uplift_qini(frame).value for frame in (one, two)]
    assert found.value == pytest.approx((600 * alone[0] + 1200 * alone[1]) / 1800)
    assert {name: part.value for name, part in found.parts["campaign"].items()} == pytest.approx(
        dict(zip("kl", alone, strict=True))
    )


def test_qini_without_scores_controls_or_answers() -> None:
    frame = _scored(400, good=True)
    assert uplift_qini(frame.assign(predicted_uplift=np.nan)).status == "undefined"
    assert uplift_qini(frame.assign(is_random=False)).reason == trials.NO_CONTROL
    nobody = uplift_qini(frame.assign(purchases=0))
    assert (nobody.value, nobody.status) == (None, "undefined")


def test_qini_from_the_tables() -> None:
    """Scores: tom 0.4, cora 0.3, tina 0.2, the others 0.1. Extra responses: tom 1; against cora 1 - 1 * 1 = 0; with
    tina 2 - 1 * 2 = 0; all: 2 - 1 * 4/4 = 1, at 1, 2, 3 and 8 of 8 cases. Area in cases times responses: 0.5 + 0.5 + 0
    + 5 * 0.5 = 3.5, minus the triangle 8 * 1 / 2 = 4: -0.5. Perfect: tom and tina (one step), then the five without,
    cora last: 2, 2, 1 at 2, 7, 8: 2 + 10 + 1.5 - 4 = 9.5. So -0.5 / 9.5.
    """
    score = {"tom": 0.4, "cora": 0.3, "tina": 0.2}
    targets = [{**t, "predicted_uplift": score.get(t["customer_id"], 0.1)} for t in TARGETS]
    found = row(run({**TABLES, "campaign_targets": targets}, **MARCH, catalog=only("uplift_qini")), "uplift_qini")
    assert found["value"] == pytest.approx(-0.5 / 9.5)
