"""Whom the programme reaches, and whether its activity stands where the customers are: worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kpis.customer_cases import figure, results
from loyalty_kpis.audience import lifecycle_alignment
from tiny_client import receipt, row, shop

COVERAGE = "heavy_medium_target_coverage"


def _client() -> dict:
    """2024: anna spends 10, bea 20, carl 30, dora 40, emil 100, each with half of it as cost; loyalty discounts 1, 1,
    2, 0 and 4. Carl has a reward of 6, anna one of 2 and, in 2023, one of 50. A stranger has a discount of 9.
    """
    spends = {"anna": (10, 1), "bea": (20, 1), "carl": (30, 2), "dora": (40, 0), "emil": (100, 4)}
    receipts = [
        receipt(i, "2024-06-01", amount, name, cogs=amount / 2, loyalty_discount=discount)
        for i, (name, (amount, discount)) in enumerate(spends.items())
    ]
    receipts.append(receipt(9, "2024-06-01", 500, None, cogs=1, loyalty_discount=9))
    joined = {"anna": "2023-05-01", "carl": "2023-12-31", "dora": "2024-01-01", "emil": "2022-01-01"}
    members = [{"member_id": f"m{n}", "customer_id": n, "enrolled_at": f"{day} 10:00:00"} for n, day in joined.items()]
    members[3] |= {"closed_at": "2023-12-31 10:00:00"}
    rewards = [("carl", "2024-07-01", 6), ("anna", "2024-07-01", 2), ("anna", "2023-07-01", 50)]
    taken = [
        {"redemption_id": f"r{i}", "member_id": f"m{name}", "ts": f"{day} 10:00:00", "cost": cost}
        for i, (name, day, cost) in enumerate(rewards)
    ]
    return shop(*receipts, memberships=members, redemptions=taken)


def test_heavy_medium_target_coverage() -> None:
    """Of five persons P50 is 30, P80 40: low are anna, bea and carl, medium dora, heavy emil. On 1 January 2024 anna
    and carl are members, dora joins on that day, emil's membership was closed the day before: 0 of 2.

    Benefits: to dora and emil 0 + 4, to all 1 + 1 + (2 + 6) + 0 + 4 and anna's reward of 2: 16. Share 1/4. Margins: 70
    of 100. Index 1/4 / 0.7.
    """
    found = results(COVERAGE, _client())
    headline = row(found, COVERAGE)
    assert (headline["value"], headline["numerator"], headline["denominator"]) == (0, 0, 2)
    share, index = (row(found, COVERAGE, name) for name in ("benefit_share", "benefit_index"))
    assert (share["value"], share["numerator"], share["denominator"]) == (pytest.approx(0.25), 4, 16)
    assert (index["value"], index["unit"]) == (pytest.approx(0.25 / 0.7), "index")


def test_members_are_those_who_are_enrolled_when_the_period_begins() -> None:
    """By 2024-01-02 dora is a member, and one of two."""
    found = figure(COVERAGE, _client(), period="2024-01-02/2024-12-31")
    assert (found["numerator"], found["denominator"]) == (1, 2)


def test_benefits_without_a_class_count_in_the_total() -> None:
    """A reward of 16 to somebody who did not buy in the 365 days: 4 of 32."""
    tables = _client()
    tables["memberships"] += [{"member_id": "mfay", "customer_id": "fay", "enrolled_at": "2022-01-01 10:00:00"}]
    more = {"redemption_id": "r9", "member_id": "mfay", "ts": "2024-07-01 10:00:00", "cost": 16}
    found = figure(COVERAGE, tables | {"redemptions": [*tables["redemptions"], more]}, "benefit_share")
    assert (found["numerator"], found["denominator"]) == (4, 32)


def test_coverage_without_rewards_or_costs() -> None:
    """Whom the programme reaches is known without them; what it gives is not."""
    tables = _client() | {"redemptions": []}
    found = results(COVERAGE, tables, without=["order_lines.cogs"])
    assert row(found, COVERAGE)["denominator"] == 2
    (verdict,) = found.computability
    assert (verdict.state, verdict.lost) == ("partly", ("benefit_share", "benefit_index"))


def _life(name: str, before: float, now: float) -> list:
    number = sum(map(ord, name))
    found = [receipt(number * 10, "2023-06-01", before, name)] if before else []
    return found + ([receipt(number * 10 + 1, "2024-06-01", now, name)] if now else [])


def _contacts(*rows: tuple) -> dict:
    """(person, campaign's stage, channel) each sent on 1 May 2024; and some that never arrived or are controls."""
    stages = sorted({(stage, channel) for _, stage, channel in rows})
    campaigns = [
        {"campaign_id": f"{stage}-{channel}", "start_at": "2024-05-01", "channel": channel, "lifecycle_stage": stage}
        for stage, channel in stages
    ]
    sent = [
        {"campaign_id": f"{stage}-{channel}", "customer_id": name, "sent_at": "2024-05-01 10:00:00", "arm": "treatment"}
        for name, stage, channel in rows
    ]
    stage, channel = stages[0]
    lost = {"campaign_id": f"{stage}-{channel}", "sent_at": "2024-05-01 10:00:00", "delivered": False}
    never = [lost | {"customer_id": "anna2"}, lost | {"customer_id": "bea2", "delivered": True, "arm": "control"}]
    return {"campaigns": campaigns, "campaign_targets": sent + never}


LIVES = {"anna": (0, 100), "bea": (100, 150), "carl": (100, 110), "dora": (100, 50), "emil": (50, 0)}


def test_lifecycle_alignment() -> None:
    """2024 against 2023: anna is new (100 at stake), bea growing (150), carl stable (110), dora declining (100), emil
    lost (50): 510. Ten contacts: 4 for new, 1 growing, 1 stable, 2 declining, 2 lost. Distances |4/10 - 100/510| and so
    on, half their sum from 1. Undelivered contacts and controls are none.

    All ten went to bea, who is growing: by person 1 - (|1 - 150/510| + 360/510) / 2 = 150/510.
    """
    stages = ["new"] * 4 + ["growing", "stable"] + ["declining"] * 2 + ["lost"] * 2
    rows = [("bea", stage, "email" if i % 2 else "app") for i, stage in enumerate(stages)]
    # one contact a campaign and person: the ten go to ten persons of bea's kind
    names = [f"bea{i}" for i in range(10)]
    lives = [r for name, life in LIVES.items() for r in _life(name, *life)]
    more = [r for i, _ in enumerate(names) for r in _life(f"z{chr(65 + i)}", 0.0, 0.0)]
    tables = shop(*lives, *more, **_contacts(*((n, s, c) for n, (_, s, c) in zip(names, rows, strict=True))))
    found = results("lifecycle_alignment", tables, data="2023-01-01/2024-12-31")
    stake = np.array([100, 150, 110, 100, 50]) / 510
    contacts = np.array([4, 1, 1, 2, 2]) / 10
    headline = row(found, "lifecycle_alignment")
    assert headline["value"] == pytest.approx(1 - np.abs(contacts - stake).sum() / 2)
    assert (headline["n"], headline["status"]) == (10, "low_n")
    assert row(found, "lifecycle_alignment", "by_person")["status"] == "undefined"
    channels = found.scorecard[found.scorecard["segment_by"] == "channel"]
    assert channels["segment"].tolist() == ["app", "email"]


def _people(*rows: tuple[str, float, float, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "spend_before", "spend_now", "is_new"])


def _sent(*rows: tuple[str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "lifecycle_stage", "contacts"])
    return frame.assign(channel="email")


def test_stages_at_their_borders() -> None:
    """Within a fifth of 100: 80 and 120 are stable, 79 declining, 121 growing, who comes back from nothing is growing.
    One contact each, for the stage that the person is in: contacts and value agree where all value is the same.
    """
    names = ["a", "b", "c", "d", "e"]
    people = _people(
        ("a", 100, 80, False),
        ("b", 100, 120, False),
        ("c", 100, 79, False),
        ("d", 100, 121, False),
        ("e", 0, 100, False),
    )
    stages = ["stable", "stable", "declining", "growing", "growing"]
    sent = _sent(*zip(names, stages, [1] * 5, strict=True))
    stake = {"stable": 220 / 541, "declining": 100 / 541, "growing": 221 / 541}
    contacts = {"stable": 0.4, "declining": 0.2, "growing": 0.4}
    expected = 1 - sum(abs(contacts[s] - stake[s]) for s in stake) / 2
    found = lifecycle_alignment(people, sent)
    assert found.value == pytest.approx(expected)
    assert found.parts["variant"]["by_person"].value == pytest.approx(expected)
    assert lifecycle_alignment(people, sent, tolerance=0.5).value != pytest.approx(expected)


def test_alignment_of_many() -> None:
    """100 new and 100 lost with the same at stake, all contacts to the new: half aligned, and none at all where only
    the lost are at stake.
    """
    new = [(f"n{i}", 0, 10, True) for i in range(100)]
    lost = [(f"l{i}", 10, 0, False) for i in range(100)]
    sent = _sent(*((name, "new", 1) for name, *_ in new))
    found = lifecycle_alignment(_people(*new, *lost), sent)
    assert (found.value, found.status) == (pytest.approx(0.5), "ok")
    assert found.low < 0.5 < found.high
    found = lifecycle_alignment(_people(*lost), sent)
    assert (found.value, found.status) == (0, "ok")


def test_no_contacts_with_a_stage() -> None:
    found = lifecycle_alignment(_people(("a", 1, 1, False)), _sent(("a", None, 1)))
    assert (found.value, found.status) == (None, "undefined")
