"""Campaign response, worked by hand."""

from __future__ import annotations

import json

import pytest

from kpibook.errors import PluginError
from kpis.campaign_case import CAMPAIGN
from kpis.campaign_case import MARCH as CASE_MARCH
from kpis.campaign_case import TABLES as CASE
from kpis.person_shop import catalog_of, compute, figure, row
from loyalty_kpis.campaigns import campaign_response_rate
from tiny_client import only, receipt, run, shop

MARCH = {"period": "2024-03-01/2024-03-31", "data": "2024-01-01/2024-03-31"}


def _sent(campaign: str, customer: str, day: str | None, **more: object) -> dict:
    return {"campaign_id": campaign, "customer_id": customer, "sent_at": day and f"{day} 08:00:00", **more}


BOUGHT = shop(
    receipt(1, "2024-03-06", 10, "anna"),
    receipt(2, "2024-03-11", 10, "bea"),
    receipt(3, "2024-03-02", 10, "carl"),
    receipt(4, "2024-03-02", 10, "dora"),
    receipt(5, "2024-03-10", 10, "emil", line_id="sold"),
    receipt(6, "2024-03-12", -10, "emil", return_of_line_id="sold"),
    receipt(7, "2024-02-28", 10, "fay"),
    receipt(8, "2024-03-03", 10, "fay"),
    receipt(9, "2024-03-03", 10, "fay"),
    receipt(10, "2024-03-26", 10, "gus"),
    receipt(11, "2024-03-04", 10),
)
CAMPAIGNS = [
    {"campaign_id": "c1", "start_at": "2024-03-01", "response_window_days": 10, "channel": "email"},
    {"campaign_id": "c2", "start_at": "2024-03-05", "response_window_days": 10, "channel": "post"},
]
TARGETS = [
    _sent("c1", "anna", "2024-03-01", arm="treatment"),
    _sent("c2", "anna", "2024-03-05"),
    _sent("c1", "bea", "2024-03-01"),
    _sent("c1", "carl", "2024-03-01", arm="control"),
    _sent("c1", "dora", "2024-03-01", delivered=False),
    _sent("c1", "emil", "2024-03-01"),
    _sent("c1", "fay", "2024-03-01", opened_at="2024-03-01 09:00:00"),
    _sent("c2", "gus", "2024-03-25"),
    _sent("c1", "hal", None, opened_at="2024-03-02 09:00:00"),
]
TABLES = {**BOUGHT, "campaigns": CAMPAIGNS, "campaign_targets": TARGETS}


def test_response_by_purchase() -> None:
    """Ten days from 1 March end on the 10th. Counted: anna twice, bea, emil, fay, hal (contacted when c1 began). Not:
    carl (control), dora (not delivered), gus (his window is open until 3 April). Answered: anna to both (6 March), fay
    once, for two receipts; not bea (the 11th), emil (returned), hal (only opened). Anna's purchase lies in both
    windows, so fractionally 1/2 + 1/2 + 1 of 6.
    """
    results = compute("campaign_response_rate", TABLES, **MARCH)
    assert figure("campaign_response_rate", results) == (0.5, 3, 6, "low_n")
    assert figure("campaign_response_rate", results, "fractional")[:3] == (pytest.approx(1 / 3), 2, 6)


def test_response_by_channel_of_the_campaign() -> None:
    many = [_sent("c1", f"p{i}", "2024-03-01") for i in range(10)] + [
        _sent("c2", f"p{i}", "2024-03-05") for i in range(10)
    ]
    tables = {**shop(receipt(1, "2024-03-14", 5, "p1")), "campaigns": CAMPAIGNS, "campaign_targets": many}
    results = compute("campaign_response_rate", tables, **MARCH, breakdowns=("channel",))
    assert figure("campaign_response_rate", results, "email")[:3] == (0, 0, 10)
    assert figure("campaign_response_rate", results, "post")[:3] == (pytest.approx(0.1), 1, 10)


def test_a_window_of_ones_own_replaces_that_of_the_campaigns() -> None:
    """Six days: anna answers c1 on the sixth day and c2 on the second, fay c1; gus (two days on) counts now, for his
    window ends on 30 March: 4 of 7. The campaigns' own windows are not needed.
    """
    results = compute(
        "campaign_response_rate",
        TABLES,
        **MARCH,
        settings={"window_days": 6},
        without=["campaigns.response_window_days"],
    )
    assert figure("campaign_response_rate", results)[:3] == (pytest.approx(4 / 7), 4, 7)


def test_contacts_stand_in_the_period_of_their_day() -> None:
    results = compute("campaign_response_rate", TABLES, "2024-03-05/2024-03-10", data="2024-01-01/2024-03-31")
    assert figure("campaign_response_rate", results)[:3] == (1, 1, 1)


def test_reply() -> None:
    """Anna replied on the tenth day, bea on the eleventh, carl as a control: 1 of 3. Purchases are not looked at."""
    targets = [
        _sent("c1", "anna", "2024-03-01", replied_at="2024-03-10 23:00:00"),
        _sent("c1", "bea", "2024-03-01", replied_at="2024-03-11 00:00:00"),
        _sent("c1", "carl", "2024-03-01", replied_at="2024-03-02", arm="control"),
        _sent("c1", "fay", "2024-03-01", replied_at=None),
    ]
    tables = {**BOUGHT, "campaigns": CAMPAIGNS, "campaign_targets": targets}
    results = compute("campaign_response_rate", tables, **MARCH, settings={"response": "reply"})
    assert figure("campaign_response_rate", results)[:3] == (pytest.approx(1 / 3), 1, 3)


def test_persons_count_once_over_all_campaigns() -> None:
    """Anna was sent both campaigns and answered both, gus was sent both, bea one: 2 of 5 contacts are answered, and one
    person of three. By objective of the campaign, segments of so few persons are named and withheld.
    """
    replied = {"replied_at": "2024-03-06"}
    targets = [
        _sent("c1", "anna", "2024-03-01", **replied),
        _sent("c2", "anna", "2024-03-05", **replied),
        _sent("c1", "gus", "2024-03-01"),
        _sent("c2", "gus", "2024-03-05"),
        _sent("c1", "bea", "2024-03-01"),
    ]
    campaigns = [{**c, "objective": f"goal {c['campaign_id']}"} for c in CAMPAIGNS]
    tables = {**BOUGHT, "campaigns": campaigns, "campaign_targets": targets}
    every = compute("campaign_response_rate", tables, **MARCH, settings={"response": "reply"})
    assert figure("campaign_response_rate", every)[:3] == (pytest.approx(2 / 5), 2, 5)
    settings = {"response": "reply", "count": "persons"}
    asked = {**MARCH, "settings": settings, "breakdowns": ("objective",)}
    once = compute("campaign_response_rate", tables, **asked)
    assert figure("campaign_response_rate", once)[:3] == (pytest.approx(1 / 3), 1, 3)
    card = compute("campaign_response_rate", tables, **asked, min_persons=10).scorecard
    assert set(card.loc[card["segment_by"] == "objective", "segment"]) == {"goal c1", "goal c2"}
    assert set(card.loc[card["segment_by"] == "objective", "status"]) == {"low_n"}
    bought = compute("campaign_response_rate", TABLES, **MARCH, settings={"count": "persons"})
    assert figure("campaign_response_rate", bought)[2] == 5


def test_redemption() -> None:
    """Anna's member redeemed a reward on 6 March, inside both windows; an unknown member's does not count."""
    tables = {
        **TABLES,
        "memberships": [{"member_id": "m", "customer_id": "anna"}],
        "redemptions": [
            {"redemption_id": i, "member_id": m, "ts": "2024-03-06"} for i, m in enumerate(["m", "stranger"])
        ],
    }
    results = compute("campaign_response_rate", tables, **MARCH, settings={"response": "redemption"})
    assert figure("campaign_response_rate", results)[:3] == (pytest.approx(2 / 6), 2, 6)
    assert figure("campaign_response_rate", results, "fractional")[:3] == (pytest.approx(1 / 6), 1, 6)


@pytest.mark.parametrize(
    ("response", "tables"),
    [
        ("reply", {"campaign_targets", "campaigns"}),
        ("purchase", {"campaign_targets", "campaigns", "transactions", "order_lines"}),
        ("redemption", {"campaign_targets", "campaigns", "redemptions", "memberships"}),
    ],
)
def test_only_what_the_response_needs(response: str, tables: set[str]) -> None:
    resolved = catalog_of("campaign_response_rate").resolve({"campaign_response_rate": {"response": response}})
    assert set(resolved.kpis["campaign_response_rate"].needs) - {"periods"} == tables


def test_unknown_response_is_refused() -> None:
    with pytest.raises(PluginError) as caught:
        catalog_of("campaign_response_rate").resolve({"campaign_response_rate": {"response": "opened"}})
    assert str(caught.value) == (
        "settings.campaign_response_rate.response: 'opened' is none of its choices"
        " · use one of: purchase, redemption, reply"
    )


def test_no_delivered_contact() -> None:
    tables = {**BOUGHT, "campaigns": CAMPAIGNS, "campaign_targets": [_sent("c1", "dora", "2024-03-01", delivered=None)]}
    found = row(compute("campaign_response_rate", tables, **MARCH), "campaign_response_rate")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "undefined",
        {"id": "reason.zero_denominator"},
    )


def test_what_a_director_asks() -> None:
    assert campaign_response_rate.question == "How many of those contacted respond?"


def test_on_target_by_hand() -> None:
    """Delivered to tom, tina, theo and tess of the hand case: tom kept two units of p in the window, tina bought q,
    theo was late, tess returned all: 1 of 4. Of the two who bought anything, one is diluted.
    """
    results = run(CASE, **CASE_MARCH, catalog=only("on_target_response_rate"))
    assert figure("on_target_response_rate", results) == (0.25, 1, 4, "low_n")
    assert figure("on_target_response_rate", results, "dilution")[:3] == (0.5, 1, 2)
    assert figure("on_target_response_rate", results, "not_specific")[:3] == (0, 0, 4)


def test_a_campaign_without_products_is_not_specific() -> None:
    """Another campaign without products reached tom and tina: 2 of 6 contacts; the rate stays that of the other."""
    more = [{**t, "campaign_id": "l"} for t in CASE["campaign_targets"] if t["customer_id"] in ("tom", "tina")]
    tables = {
        **CASE,
        "campaigns": [CAMPAIGN, {**CAMPAIGN, "campaign_id": "l", "target_product_ids": []}],
        "campaign_targets": [*CASE["campaign_targets"], *more],
    }
    results = run(tables, **CASE_MARCH, catalog=only("on_target_response_rate"))
    assert figure("on_target_response_rate", results)[:3] == (0.25, 1, 4)
    assert figure("on_target_response_rate", results, "not_specific")[:3] == (pytest.approx(1 / 3), 2, 6)


def test_on_target_waits_for_the_end_of_the_window() -> None:
    results = run(CASE, "2024-03-01/2024-03-31", data="2023-03-01/2024-03-09", catalog=only("on_target_response_rate"))
    assert figure("on_target_response_rate", results)[:2] == (None, 0)


def _initiatives(*spans: tuple[str, str | None, str]) -> dict:
    rows = [
        {"campaign_id": i, "start_at": start, "end_at": end, "objective": objective}
        for i, (start, end, objective) in enumerate(spans)
    ]
    return {**shop(receipt(1, "2024-01-01", 10, "anna"), receipt(2, "2024-12-31", 10, "anna")), "campaigns": rows}


def test_continuity_by_hand() -> None:
    """January 2024 lies in five weeks from Monday to Sunday (1-7, 8-14, 15-21, 22-28, 29-31). Live: the 3rd to the 9th
    (end_at at midnight of the 10th is exclusive), the 31st from a campaign until noon of 2 February; the one of the
    16th is for new customers only. Weeks 1, 2 and 5 of 5; without from the 10th to the 30th: 21 days.
    """
    tables = _initiatives(
        ("2024-01-03 09:00:00", "2024-01-10", "sell more"),
        ("2024-01-16", "2024-01-18", "Acquisition of customers"),
        ("2024-01-31", "2024-02-02 12:00:00", "sell more"),
        ("2023-11-01", "2023-11-30", "sell more"),
    )
    catalog = only("initiative_continuity")
    results = run(tables, "2024-01-01/2024-01-31", catalog=catalog)
    assert figure("initiative_continuity", results) == (0.6, 3, 5, "ok")
    gap = row(results, "initiative_continuity", "longest_gap")
    assert (gap["value"], gap["unit"]) == (21, "days")
    everybody = {"initiative_continuity": {"not_for_members": ""}}
    results = run(tables, "2024-01-01/2024-01-31", catalog=catalog, settings=everybody)
    assert figure("initiative_continuity", results)[:3] == (0.8, 4, 5)
    assert row(results, "initiative_continuity", "longest_gap")["value"] == 13


def test_a_period_without_any_initiative() -> None:
    """February 2024 has 29 days in five weeks; the only campaign was in January. Live to the last day of one that ends
    on 15 February at noon: weeks of the 1st, 5th and 12th.
    """
    catalog = only("initiative_continuity")
    none = run(_initiatives(("2024-01-03", "2024-01-10", "x")), "2024-02-01/2024-02-29", catalog=catalog)
    assert figure("initiative_continuity", none) == (0, 0, 5, "ok")
    assert row(none, "initiative_continuity", "longest_gap")["value"] == 29
    some = run(_initiatives(("2024-01-03", "2024-02-15 12:00:00", "x")), "2024-02-01/2024-02-29", catalog=catalog)
    assert figure("initiative_continuity", some)[:3] == (0.6, 3, 5)
    assert row(some, "initiative_continuity", "longest_gap")["value"] == 14
