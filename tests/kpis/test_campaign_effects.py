"""Campaign uplift: the hand case, what is not identified, weights, clusters, Holm."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kpibook.stats.multiplicity import holm
from kpis.campaign_case import MARCH, RECEIPTS, TABLES, TARGETS, cases, goods, hand_case, sale, target
from loyalty_kpis import trials
from loyalty_kpis.campaign_effects import campaign_uplift
from tiny_client import only, row, run, shop

UPLIFT = only("campaign_uplift")


def _uplift(tables=TABLES, **more):
    return run(tables, **{**MARCH, "catalog": UPLIFT, **more})


def _text(found: dict) -> str:
    return json.loads(found["reason"])["text"]


def test_by_hand() -> None:
    """Treated who bought in the ten days: tom, tina (tess returned all, theo was late): 2 of 4; controls: cora, 1 of 4.
    Newcombe: Wilson of 2/4 is 0.15004 to 0.84996, of 1/4 0.04559 to 0.69936, so the difference of 0.25 lies
    between 0.25 - sqrt(0.34996² + 0.44936²) and 0.25 + sqrt(0.34996² + 0.20441²).
    """
    found = row(hand_case(), "campaign_uplift")
    assert found["value"] == pytest.approx(0.25)
    assert (found["low"], found["high"]) == pytest.approx((0.25 - 0.56955, 0.25 + 0.40529), abs=2e-5)
    assert (found["status"], found["n"], found["grade"]) == ("low_n", 8, "C")
    assert json.loads(found["reason"]) == {"id": "reason.too_few_in_group", "n": 4, "minimum": 1000}


@pytest.mark.parametrize(
    ("reading", "value"),
    [
        ("purchases", 0.25),
        ("on_target", 0.25),  # tom has two units of p, cora only one
        ("other_goods", 0.25),  # tina
        ("after", 0.25),  # theo, on the first day after the window
        ("purchases_after", 0.25),
    ],
)
def test_readings_by_hand(reading: str, value: float) -> None:
    assert row(hand_case(), "campaign_uplift", reading)["value"] == pytest.approx(value)


def test_table_and_part_of_the_campaign() -> None:
    results = hand_case()
    table = results.tables["campaign_uplift"].iloc[0]
    assert (table["campaign"], table["treated"], table["controls"]) == ("k", 4, 4)
    assert (table["answered_treated"], table["answered_control"], table["p_arm_sizes"]) == (0.5, 0.25, 1)
    card = results.scorecard
    part = card[(card.kpi == "campaign_uplift") & (card.segment_by == "campaign")]
    assert list(part.segment) == ["k"]
    assert list(part.status) == ["low_n"]


def test_both_arms_begin_when_the_campaign_does() -> None:
    """Assigned on 28 February, sent late: carl's purchase of the 29th stays outside, tom's of 1 March counts although
    his message was sent on the 3rd.
    """
    late = [{**t, "sent_at": "2024-03-03"} if t["customer_id"] == "tom" else t for t in TARGETS]
    assert row(_uplift({**TABLES, "campaign_targets": late}), "campaign_uplift")["value"] == pytest.approx(0.25)


def test_not_reached_is_still_assigned() -> None:
    lost = [{**t, "delivered": False} for t in TARGETS]
    assert row(_uplift({**TABLES, "campaign_targets": lost}), "campaign_uplift")["value"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "data", "status", "reason"),
    [
        ({"is_random": False}, None, "not_identified", trials.NO_CONTROL),
        ({"arm": "treatment"}, None, "not_identified", trials.NO_CONTROL),
        ({"assignment_prob": 0.0}, None, "not_identified", trials.PROBABILITY),
        ({}, "2023-03-01/2024-03-09", "undefined", trials.OPEN),
    ],
)
def test_without_a_counterfactual(change: dict, data: str | None, status: str, reason: str) -> None:
    tables = {**TABLES, "campaign_targets": [{**t, **change} for t in TARGETS]}
    found = row(_uplift(tables, **({"data": data} if data else {})), "campaign_uplift")
    assert (found["value"], found["low"], found["status"], found["grade"]) == (None, None, status, "D")
    assert found["reason"] == reason
    assert _text(found).endswith(".")


def test_the_window_must_be_over() -> None:
    """Ten days from 1 March end with the 10th: the data must hold that day."""
    assert row(_uplift(data="2023-03-01/2024-03-10"), "campaign_uplift")["value"] == pytest.approx(0.25)


def test_arms_that_contradict_the_probabilities() -> None:
    """90 treated and 30 controls at one half each: z = 30 / sqrt(120/4) = 5.5."""
    treated = np.arange(120) < 90
    frame = cases(120, is_treated=treated)
    found = campaign_uplift(goods(frame))
    assert (found.status, found.reason) == ("not_identified", trials.UNEQUAL)
    chance = np.where(treated, 0.75, 0.25)
    assert campaign_uplift(goods(frame.assign(assignment_prob=chance))).status == "low_n"
    unknown = campaign_uplift(goods(frame.assign(assignment_prob=np.nan)))
    assert unknown.value is not None
    assert np.isnan(unknown.table["p_arm_sizes"].iloc[0])


def test_unequal_probabilities_are_weighted() -> None:
    """Heavy buyers are mostly treated (0.9), light ones rarely (0.1), nothing is caused: heavy 90 of 100 answer in
    either arm, light 10 of 100. Raw shares differ by far; weighted ones are (90 + 10) / 200 in both arms.
    """
    rows = []
    for chance, answering in ((0.9, 0.9), (0.1, 0.1)):
        for treated, size in ((True, round(1000 * chance)), (False, round(1000 * (1 - chance)))):
            for i in range(size):
                own = chance if treated else 1 - chance
                rows.append((treated, own, int(i < round(size * answering))))
    facts = pd.DataFrame(rows, columns=["is_treated", "assignment_prob", "purchases"])
    frame = cases(len(facts), **{name: facts[name].to_numpy() for name in facts})
    raw = facts.groupby("is_treated")["purchases"].mean()
    assert raw[True] - raw[False] > 0.6
    found = campaign_uplift(goods(frame))
    assert found.value == pytest.approx(0)
    assert list(found.table[["answered_treated", "answered_control"]].iloc[0]) == pytest.approx([0.5, 0.5])


def test_purchases_are_compared_as_welch_does() -> None:
    frame = cases(600)
    treated = frame["is_treated"].to_numpy()
    expected = stats.ttest_ind(
        frame["purchases"][treated], frame["purchases"][~treated], equal_var=False
    ).confidence_interval()
    found = campaign_uplift(goods(frame)).parts["variant"]["purchases"]
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_campaigns_count_by_their_treated_and_holm_corrects() -> None:
    """2,400 and 3,600 cases with about 1,200 and 1,800 treated; p values corrected over both, a third without controls
    is told apart.
    """
    one, two = cases(2400, 1, "a"), cases(3600, 2, "b", purchases=np.tile([0, 1], 1800))
    bare = cases(50, 3, "c", is_treated=True, is_random=False)
    frame = pd.concat([one, two, bare], ignore_index=True)
    found = campaign_uplift(goods(frame))
    values = {}
    for name, own in (("a", one), ("b", two)):
        answered = (own["purchases"] > 0).groupby(own["is_treated"]).mean()
        values[name] = (answered[True] - answered[False], int(own["is_treated"].sum()))
    expected = sum(v * n for v, n in values.values()) / sum(n for _, n in values.values())
    assert found.value == pytest.approx(expected)
    assert (found.status, found.grade, found.n) == ("ok", "A", 6000)
    parts = found.parts["campaign"]
    assert {name: part.status for name, part in parts.items()} == {"a": "ok", "b": "ok", "c": "not_identified"}
    corrected = holm(found.table["p"])
    assert list(found.table["p_holm"]) == pytest.approx(list(corrected))
    assert json.loads(parts["b"].reason) == {
        "text": "p = {p} after Holm's correction over {campaigns} campaigns.",
        "p": round(corrected[1], 4),
        "campaigns": 2,
    }
    assert parts["c"].reason == trials.NO_CONTROL_HERE


def test_of_eleven_campaigns_the_false_discoveries_are_bounded() -> None:
    """The same 400 cases eleven times: p of each is p * 11 / 11, Holm's would be 11 times as much."""
    frame = pd.concat([cases(400, 1, f"k{i:02d}").assign(purchases=np.tile([0, 1], 200)) for i in range(11)])
    found = campaign_uplift(goods(frame.reset_index(drop=True)), break_even=0.5)
    assert "p_holm" not in found.table
    assert list(found.table["p_fdr"]) == pytest.approx([found.table["p"].iloc[0]] * 11)
    assert json.loads(found.parts["campaign"]["k00"].reason) == {
        "text": "p = {p} after Benjamini and Hochberg's correction over {campaigns} campaigns.",
        "p": round(float(found.table["p"].iloc[0]), 4),
        "campaigns": 11,
    }


def test_a_permanent_control_group_is_no_second_sample() -> None:
    """The same persons in the same arms of two campaigns with the same answers: no narrower than one campaign."""
    one = cases(2400)
    frame = pd.concat([one, one.assign(campaign_id="l")], ignore_index=True)
    once, twice = campaign_uplift(goods(one)), campaign_uplift(goods(frame))
    assert twice.value == pytest.approx(once.value)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=1e-4)
    assert twice.persons == 2400


def test_power_for_the_break_even_replaces_the_thousand() -> None:
    """About 300 in each arm: the standard error is about 0.04; 0.2 is more than 2.8 times that, 0.05 is not."""
    frame = cases(600)
    assert campaign_uplift(goods(frame)).status == "low_n"
    assert campaign_uplift(goods(frame), break_even=0.05).status == "low_n"
    assert campaign_uplift(goods(frame), break_even=0.2).status == "ok"


def test_campaigns_without_products_have_no_reading_on_target() -> None:
    frame = cases(600, is_specific=False)
    readings = campaign_uplift(goods(frame)).parts["variant"]
    assert set(readings) == {"purchases", "after", "purchases_after"}
    assert set(campaign_uplift(goods(frame.assign(after_over=False))).parts["variant"]) == {"purchases"}


def test_the_usage_class_is_that_before_the_campaign() -> None:
    """Of 40 buyers of the year before (10 to 400), half are low, the next 12 medium, 8 heavy; who bought only because
    of the campaign is unknown. Heavy (9) and unknown are fewer than ten persons.
    """
    old = [sale(100 + i, "2024-02-10", f"p{i:02d}", "q", 1, 10 * (i + 1)) for i in range(40)]
    arms = [target(f"p{i:02d}", "treatment" if i % 2 else "control") for i in range(40)]
    tables = {**TABLES, **shop(*RECEIPTS, *old), "campaign_targets": [*arms, *TARGETS]}
    results = _uplift(tables, breakdowns=("usage_class",), min_persons=10)
    sizes = results.scorecard[results.scorecard.segment_by == "usage_class"].set_index("segment")["n"]
    # carl (20 on 29 February) is one of 41 buyers with a history; 41 / 2 = 20.5 and 41 * 0.8 = 32.8
    assert {name: int(n) for name, n in sizes.dropna().items()} == {"low": 20, "medium": 12}
