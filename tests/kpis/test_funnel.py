"""How far visitors come, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kpis.outreach_cases import parts, result, seen, way
from tiny_client import only, receipt, row, run, shop

STAGES = ("acquisition", "activation", "opportunity", "conversion", "post_sale", "advocacy")
DAYS = {f"{stage}_days": 0 for stage in STAGES[1:]}
HALF = {"period": "2024-01-01/2024-06-30", "data": "2024-01-01/2024-06-30"}
FUNNEL = [
    *way("ann", *zip(("2024-01-01", "2024-01-03", "2024-01-10", "2024-01-20", "2024-02-01", "2024-03-01"), STAGES,
                     strict=True), first=1),
    *way("ben", ("2024-01-02", "acquisition"), ("2024-01-12", "activation"), first=2),
    *way("cat", ("2024-01-03", "acquisition"), ("2024-01-05", "conversion"), first=3),
    *way("dan", ("2024-01-04", "acquisition"), first=4),
    *way("dan", ("2024-01-04", "acquisition"), first=4),
    *way("eve", ("2024-01-05", "acquisition"), ("2024-01-06", "conversion"), first=5, is_bot=True),
    *way("fay", ("2024-06-28", "acquisition"), first=6),
]  # fmt: skip


def _funnel(events: list[dict[str, Any]], **settings: Any) -> Any:
    return result("funnel_stage_conversion", {"funnel_events": events}, **HALF, settings=settings)


def _steps(results: Any) -> list[tuple[Any, Any]]:
    return [parts(results, "funnel_stage_conversion", stage)[1:] for stage in STAGES[1:]]


def _reached(results: Any) -> list[float]:
    return [parts(results, "funnel_stage_conversion", f"reached_{stage}")[0] for stage in STAGES]


def test_stages_by_channel_of_first_contact() -> None:
    """Ann came by the web and went through; ben came by the web and got no further; cat came by app, bought over the
    web. Advocacy is recorded, so a channel without it has 0; a stage that no event reaches has no base.
    """
    events = [
        *way("ann", ("2024-01-01", "acquisition"), ("2024-01-02", "conversion"), first=1),
        *way("ben", ("2024-01-03", "acquisition"), first=2),
        seen(91, "cat", "2024-01-03 10:00:00", "acquisition", channel="app"),
        seen(92, "cat", "2024-01-04 10:00:00", "conversion", channel="web"),
        seen(93, "cat", "2024-01-09 10:00:00", "post_sale", channel="web"),
    ]
    table = _funnel(events, passing="any_order", **DAYS).tables["funnel_stage_conversion"]
    cells = {(r.row, r.column): (r.numerator, r.denominator) for r in table.itertuples()}
    assert {s: cells["web", s] for s in ("acquisition", "conversion", "post_sale")} == {
        "acquisition": (2, 2), "conversion": (1, 2), "post_sale": (0, 2)
    }  # fmt: skip
    assert (cells["app", "conversion"], cells["app", "post_sale"]) == ((1, 1), (1, 1))
    assert cells["web", "activation"] == cells["app", "advocacy"] == (0, 0)
    assert set(table.loc[table["denominator"] == 0, "status"]) == {"undefined"}


def test_visits_up_to_a_purchase() -> None:
    """Ann's second visit and her third have a purchase (2 and 3), ben's first (1): 6 visits for 3 purchases. Her first
    visit lies before the period and is one of hers all the same. Nobody's purchase, without a visitor, is left out.
    """
    events = [
        seen(1, "ann", "2023-12-20 10:00:00"),
        seen(2, "ann", "2024-01-02 10:00:00", "conversion", transaction_id="t1"),
        seen(3, "ann", "2024-01-03 10:00:00", "conversion", transaction_id="t2"),
        seen(4, "ben", "2024-01-03 10:00:00", "conversion", transaction_id="t3"),
        seen(5, "ben", "2024-01-08 10:00:00"),
        seen(6, None, "2024-01-03 10:00:00", "conversion", transaction_id="t4", session_id="s"),
    ]
    results = result("overall_conversion_rate", {"funnel_events": events}, "2024-01-01/2024-01-31")
    assert parts(results, "overall_conversion_rate", "visits_per_purchase") == (2, 6, 3)


def test_a_skipped_stage_is_passed() -> None:
    """Five persons: dan's event came twice, eve is a bot. Activation within 7 days: ann, and cat, whose purchase passes
    it; not ben (10 days), dan; fay's window is open until July: 2 of 4. Opportunity and conversion 2 of 2. Post-sale
    within 90 days: ann, not cat: 1 of 2. Advocacy within 30 days: ann on the 29th: 1 of 1. Product 1/2 * 1/2.
    """
    results = _funnel(FUNNEL, advocacy_days=30)
    assert _steps(results) == [(2, 4), (2, 2), (2, 2), (1, 2), (1, 1)]
    assert parts(results, "funnel_stage_conversion")[0] == pytest.approx(0.25)
    assert parts(results, "funnel_stage_conversion", "to_conversion")[0] == pytest.approx(0.5)
    assert _reached(results) == [5, 2, 2, 2, 1, 1]
    assert parts(results, "funnel_stage_conversion", "days_to_conversion") == (pytest.approx(10.5), 21, 2)


def test_a_window_still_open_is_not_judged() -> None:
    """Ann told on on 1 February + 29; the usual 180 days end on 30 July, after the data: nobody can be judged."""
    found = row(_funnel(FUNNEL), "funnel_stage_conversion")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "undefined",
        {"id": "reason.zero_denominator"},
    )


def test_every_stage_is_wanted() -> None:
    """Chained, cat has not reached activation: 1 of 4, then only ann goes on."""
    assert _steps(_funnel(FUNNEL, passing="chained", advocacy_days=30)) == [(1, 4), (1, 1), (1, 1), (1, 1), (1, 1)]


def test_a_stage_before_its_predecessor_does_not_count() -> None:
    """Ivo considered before he opened his account, joe bought only; without windows.

    Chained: acquisition ivo; activation ivo; opportunity nobody, it came before. In any order: ivo 1, 1, 1, joe's
    purchase counts as reached. Skipped: joe passed the first three, and ivo's opportunity passed the activation.
    """
    steps = ("2024-01-01", "acquisition"), ("2024-01-02", "opportunity"), ("2024-01-03", "activation")
    events = [*way("ivo", *steps, first=1), *way("joe", ("2024-01-05", "conversion"), first=2)]
    assert _reached(_funnel(events, passing="chained", **DAYS)) == [1, 1, 0, 0, 0, 0]
    assert _reached(_funnel(events, passing="any_order", **DAYS)) == [1, 1, 1, 1, 0, 0]
    assert _reached(_funnel(events, passing="skipped", **DAYS)) == [2, 2, 2, 1, 0, 0]


def test_a_stage_that_nobody_records_is_undefined() -> None:
    found = row(_funnel(way("ann", ("2024-01-01", "acquisition"), first=1)), "funnel_stage_conversion", "activation")
    assert (found["value"], found["denominator"], found["status"]) == (None, 0, "undefined")


def test_persons_not_devices() -> None:
    """Ann on the telephone and, logged in once each, on both: one person, whose stage on one follows that on the other.
    A device on which two customers logged in belongs to neither: its anonymous visit is a person of its own.
    """
    events = [
        seen(1, "phone", "2024-01-01 10:00:00"),
        seen(2, "phone", "2024-01-01 10:05:00", customer_id="ann"),
        seen(3, "laptop", "2024-01-02 10:00:00", "activation", customer_id="ann"),
        seen(4, "shared", "2024-01-03 10:00:00", customer_id="bea"),
        seen(5, "shared", "2024-01-04 10:00:00", "activation", customer_id="cat"),
        seen(6, "shared", "2024-01-05 10:00:00"),
    ]
    results = _funnel(events)
    assert parts(results, "funnel_stage_conversion", "activation")[1:] == (2, 4)


def test_overall_conversion() -> None:
    """January: ann came twice and bought the second time, ben came once, a visit without a visitor bought, a bot too.
    By visitor 1 of 2; by visit 2 of 4; visitors are known for 3 of 4 visits. An event after the sale that names the
    transaction is no purchase: ben's review does not count.
    """
    events = [
        seen(1, "ann", "2024-01-01 10:00:00"),
        seen(2, "ann", "2024-01-09 10:00:00", "conversion", transaction_id="t1"),
        seen(3, "ben", "2024-01-02 10:00:00", "post_sale", transaction_id="t0"),
        seen(4, None, "2024-01-03 10:00:00", "conversion", transaction_id="t2", session_id="s"),
        seen(5, "bot", "2024-01-03 10:00:00", "conversion", transaction_id="t3", is_bot=True),
        seen(6, "ann", "2024-02-01 10:00:00"),
    ]
    results = result("overall_conversion_rate", {"funnel_events": events}, "2024-01-01/2024-01-31")
    assert parts(results, "overall_conversion_rate") == (0.5, 1, 2)
    assert parts(results, "overall_conversion_rate", "sessions") == (0.5, 2, 4)
    assert parts(results, "overall_conversion_rate", "recognised") == (0.75, 3, 4)
    by_visit = {"settings": {"basis": "sessions"}}
    results = result("overall_conversion_rate", {"funnel_events": events}, "2024-01-01/2024-01-31", **by_visit)
    assert parts(results, "overall_conversion_rate") == (0.5, 2, 4)
    assert parts(results, "overall_conversion_rate", "visitors") == (0.5, 1, 2)


def test_segmented_visitors() -> None:
    """First visits in January. Ann logged in; bea came by a search and looked at a product; cat looked at one but came
    straight to the website; dan came by a search and looked at nothing; eve's product view is of her second visit, 40
    minutes later; fay's first visit was in December. 2 of 5.
    """
    events = [
        seen(1, "ann", "2024-01-01 10:00:00", customer_id="c1"),
        seen(2, "bea", "2024-01-01 10:00:00", touchpoint_type="seo"),
        seen(3, "bea", "2024-01-01 10:05:00", product_id="p"),
        seen(4, "cat", "2024-01-01 10:00:00", product_id="p"),
        seen(5, "dan", "2024-01-01 10:00:00", touchpoint_type="seo"),
        seen(6, "eve", "2024-01-01 10:00:00", touchpoint_type="seo"),
        seen(7, "eve", "2024-01-01 10:40:00", product_id="p"),
        seen(8, "fay", "2023-12-31 10:00:00"),
        seen(9, "fay", "2024-01-02 10:00:00", customer_id="c2"),
    ]
    results = result("visitor_segmentation_rate", {"funnel_events": events}, "2024-01-01/2024-01-31")
    assert parts(results, "visitor_segmentation_rate") == (0.4, 2, 5)


def test_a_longer_pause_keeps_a_visit_together() -> None:
    """With 60 minutes eve's two halves are one visit; with 0 the client's sessions stand."""
    events = [
        seen(1, "eve", "2024-01-01 10:00:00", touchpoint_type="seo"),
        seen(2, "eve", "2024-01-01 10:40:00", product_id="p"),
    ]
    for minutes, met in ((30, 0), (60, 1), (0, 1)):
        settings = {"visits": {"pause_minutes": minutes}}
        results = run(
            {"funnel_events": events},
            "2024-01-01/2024-01-31",
            catalog=only("visitor_segmentation_rate"),
            settings=settings,
        )
        assert parts(results, "visitor_segmentation_rate")[1:] == (met, 1)


AFTER = shop(
    receipt(1, "2024-01-05", 10, "ann"),
    receipt(2, "2024-01-20", 10, "ann"),
    receipt(3, "2024-01-06", 10, "bea"),
    receipt(4, "2024-01-07", 10, "cat"),
    receipt(5, "2024-01-08", 10, "dan", line_id="sold"),
    receipt(6, "2024-01-09", -10, "dan", return_of_line_id="sold"),
    receipt(7, "2024-01-08", 10),
    receipt(8, "2024-03-20", 10, "eve"),
    receipt(9, "2024-01-08", 10, "fay"),
    funnel_events=[
        seen(1, "v1", "2024-03-04 10:00:00", "post_sale", customer_id="ann", event_name="review"),
        seen(2, "v2", "2024-03-06 10:00:00", "post_sale", customer_id="bea", event_name="review"),
        seen(3, "v3", "2024-01-20 10:00:00", "opportunity", customer_id="cat", event_name="review"),
        seen(4, "v6", "2024-01-20 10:00:00", "post_sale", customer_id="fay", event_name="visit"),
    ],
    campaign_targets=[
        {"campaign_id": "c1", "customer_id": "cat", "sent_at": "2024-01-07", "clicked_at": "2024-01-07 09:00:00"},
        {"campaign_id": "c1", "customer_id": "fay", "sent_at": "2024-01-07", "clicked_at": "2024-01-09 09:00:00"},
    ],
)


def test_after_the_sale() -> None:
    """Buyers of the first quarter with 60 days gone by 31 March: ann, bea, cat, fay; not dan (returned), eve (March),
    the anonymous. Ann's review on 4 March is the 59th day after her first purchase; bea's on 6 March the 60th: too
    late. Cat's is before the sale by its stage, and the click on the day of the purchase may have led to it. Fay's
    visit is no action, but the click two days later is. 2 of 4.
    """
    results = result("post_sale_engagement_rate", AFTER, "2024-01-01/2024-03-31")
    assert parts(results, "post_sale_engagement_rate") == (0.5, 2, 4)


def test_any_event_after_the_sale() -> None:
    """Without the names of actions fay's visit counts as well; the click is not needed then: ann and fay."""
    tables = {**AFTER, "campaign_targets": [{**AFTER["campaign_targets"][0], "clicked_at": "2023-12-01"}]}
    results = result("post_sale_engagement_rate", tables, "2024-01-01/2024-03-31", settings={"actions": ""})
    assert parts(results, "post_sale_engagement_rate")[1:] == (2, 4)
