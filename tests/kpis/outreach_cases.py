"""Visitors, tickets and what a firm watches, as rows; and one client who has them all."""

from __future__ import annotations

from typing import Any

from tiny_client import only, receipt, row, run, shop

KPIS = (
    "new_customers_due_to_programme", "wom_reach", "wom_new_customer_share", "referral_rate", "k_factor",
    "organic_referral_share", "funnel_stage_conversion", "overall_conversion_rate", "visit_frequency",
    "website_statistics", "visitor_segmentation_rate", "post_sale_engagement_rate", "touchpoint_effect",
    "touchpoint_sentiment", "first_response_time", "accessibility_rate", "first_contact_resolution",
    "proactive_contact_share", "a_priori_target_share", "monitoring_cadence", "roi_monitored",
    "kpi_specificity_share", "data_driven_decision_share", "benchmark_gap", "employee_turnover",
)  # fmt: skip
SEEN = {
    "visitor_id": None, "customer_id": None, "session_id": None, "channel": "web", "stage": "acquisition",
    "event_name": "visit", "touchpoint_type": "website", "product_id": None, "transaction_id": None, "sentiment": None,
    "is_bot": False,
}  # fmt: skip
ASKED = {
    "customer_id": None, "channel": "email", "direction": "inbound", "auto_reply_at": None,
    "first_human_reply_at": None, "resolved_at": None, "contacts_count": 1, "reopened_count": 0, "is_complaint": False,
    "is_spam": False, "abandoned": False, "sla_reply_minutes": 60,
}  # fmt: skip


def seen(number: int, visitor: str, ts: str, stage: str = "acquisition", **more: Any) -> dict[str, Any]:
    """An event; its session is the visitor's day unless given."""
    base = {**SEEN, "event_id": f"e{number}", "visitor_id": visitor, "ts": ts, "stage": stage}
    return {**base, "session_id": f"{visitor} {ts[:10]}", **more}


def way(visitor: str, *steps: tuple[str, str], first: int, **more: Any) -> list[dict[str, Any]]:
    """Events of one visitor from (day, stage) at noon; ``first`` keeps event numbers apart."""
    return [seen(first * 100 + i, visitor, f"{day} 12:00:00", stage, **more) for i, (day, stage) in enumerate(steps)]


def asked(number: int, ts: str, replied: str | None = None, **more: Any) -> dict[str, Any]:
    """A ticket."""
    return {**ASKED, "ticket_id": f"t{number}", "created_at": ts, "first_human_reply_at": replied, **more}


def answer(number: int, code: str, score: float, **more: Any) -> dict[str, Any]:
    """An answer on a scale of 1 to 5 in January 2024."""
    base = {"response_id": f"r{number}", "survey_id": "s", "wave_id": "w", "respondent_type": "customer"}
    scale = {"scale_min": 1, "scale_max": 5, "higher_is_better": True, "weight": 1.0, "customer_id": f"p{number}"}
    said = {"ts": "2024-01-15", "question_code": code, "score": score, "touchpoint_type": "store", "channel": "store"}
    return {**base, **scale, **said, **more}


def watched(number: int, kpi: str | None, **more: Any) -> dict[str, Any]:
    """A measure that the firm watches every 30 days, refreshed on 20 June 2024."""
    tests = dict.fromkeys(("has_programme_segment", "has_comparator", "is_product_linked", "used_in_decision"), True)
    base = {"item_id": f"i{number}", "firm_kpi_name": f"measure {number}", "kpi_id": kpi, "cadence_days": 30}
    return {**base, "last_refreshed_at": "2024-06-20 00:00:00", **tests, **more}


def aimed(number: int, kpi: str, **more: Any) -> dict[str, Any]:
    """A target for the first half of 2024, set in December."""
    period = {"period_start": "2024-01-01", "period_end": "2024-06-30", "set_at": "2023-12-01", "superseded_at": None}
    value = {"comparator": ">=", "baseline_value": 1.0, "target_value": 2.0, "segment": "total"}
    return {"target_id": f"a{number}", "kpi_id": kpi, **period, **value, **more}


def result(kpi: str, tables: dict[str, Any], period: str, **more: Any) -> Any:
    """Results of one KPI; ``settings`` of it alone, ``all_settings`` by id."""
    settings = more.pop("all_settings", {})
    if "settings" in more:
        settings = {**settings, kpi: more.pop("settings")}
    return run(tables, period, more.pop("compare", None), catalog=only(kpi), settings=settings, **more)


def parts(results: Any, kpi: str, segment: str = "total", period: str = "current") -> tuple[Any, ...]:
    """(value, numerator, denominator)."""
    found = row(results, kpi, segment, period)
    return found["value"], found["numerator"], found["denominator"]


PEOPLE = [f"p{i:02d}" for i in range(40)]


def everything() -> dict[str, Any]:
    """The first half of 2024 of a client who supplies every table, 40 customers of whom the first 20 are members."""
    receipts = [
        receipt(100 * i + month, f"2024-0{month}-{1 + i % 28:02d}", 10 + i, name, cogs=4 + i / 2)
        for i, name in enumerate(PEOPLE)
        for month in (1, 3, 5)
    ]
    memberships = [{"member_id": f"m{i}", "customer_id": PEOPLE[i], "enrolled_at": "2023-06-01"} for i in range(20)]
    return shop(
        *receipts,
        memberships=memberships,
        **_known(),
        **_visits(),
        **_contacts(),
        **_said(),
        **_service(),
        **_governed(),
    )


def _known() -> dict[str, Any]:
    reasons, modes = ("programme", "recommendation", "price", None), ("organic", "incentivised")
    customers = [
        {
            "customer_id": name,
            "created_at": f"2024-0{1 + i % 6}-01",
            "acquisition_channel": "web",
            "acquisition_reason": reasons[i % 4],
            "referred_by_customer_id": PEOPLE[i - 1] if i % 9 == 1 else None,
            "household_id": f"h{i}",
        }
        for i, name in enumerate(PEOPLE)
    ]
    referrals = [
        {
            "referral_id": f"f{i}",
            "referrer_customer_id": PEOPLE[i],
            "invitee_hash": f"h{i}",
            "sent_at": "2024-01-02",
            "mode": modes[i % 2],
            "referred_customer_id": PEOPLE[i + 20],
            "first_purchase_at": "2024-01-01" if i % 3 else None,
            "reward_cost": 5.0,
        }
        for i in range(12)
    ]
    return {"customers": customers, "referrals": referrals}


def _visits() -> dict[str, Any]:
    events = []
    for i, name in enumerate(PEOPLE):
        day, visitor = f"2024-0{1 + i % 6}-{1 + i % 27:02d}", f"v{i}"
        events += [
            seen(10 * i, visitor, f"{day} 10:00:00", touchpoint_type="seo" if i % 2 else "ads", product_id="a"),
            seen(10 * i + 1, visitor, f"{day} 10:05:00", "activation", event_name="product_view"),
            seen(10 * i + 3, visitor, f"{day} 12:00:00", "post_sale", event_name="review", sentiment=(i % 5 - 2) / 2),
        ]
        if i % 3:
            bought = {"customer_id": name, "transaction_id": f"t{i}"}
            events.append(seen(10 * i + 2, visitor, f"{day} 11:30:00", "conversion", **bought))
    return {"funnel_events": events}


def _contacts() -> dict[str, Any]:
    campaigns = [
        {"campaign_id": f"c{i}", "start_at": "2024-02-01", "target_rule": "spend > 10" if i else None} for i in range(3)
    ]
    clicks = ["2024-01-25 09:00:00" if i % 4 == 0 else None for i in range(40)]
    targets = [
        {"campaign_id": "c1", "customer_id": name, "sent_at": "2024-01-20", "clicked_at": click}
        for name, click in zip(PEOPLE, clicks, strict=True)
    ]
    return {"campaigns": campaigns, "campaign_targets": targets}


def _said() -> dict[str, Any]:
    responses = [
        *(answer(i, "CSAT", 1 + i % 5) for i in range(40)),
        *(answer(100 + i, "TOLD_POS", i % 7, customer_id=f"p{i}") for i in range(40)),
        *(answer(200 + i, "TOLD_NEG", i % 3, customer_id=f"p{i}") for i in range(40)),
    ]
    panel = [
        {"respondent_id": f"q{i}", "brand": brand, "is_own": own, "satisfaction": 3 + (i + own) % 4}
        for i in range(35)
        for brand, own in (("own", True), ("other", False))
    ]
    return {"survey_responses": responses, "competitor_panel": panel}


def _service() -> dict[str, Any]:
    tickets = []
    for i, name in enumerate(PEOPLE):
        day = f"2024-03-{1 + i % 28:02d}"
        solved = {"resolved_at": f"{day} 20:00:00"} if i % 9 else {}
        kind = {"is_complaint": i % 2 == 0, "direction": "inbound" if i % 5 else "proactive"}
        reply = f"{day} {10 + i % 8}:30:00" if i % 9 else None
        automatic = f"{day} 10:00:30"
        tickets.append(asked(i, f"{day} 10:00:00", reply, customer_id=name, auto_reply_at=automatic, **kind, **solved))
    hours = {"calendar_id": "c", "open_from": "09:00:00", "open_to": "18:00:00"}
    calendar = [{**hours, "date": f"2024-03-{day:02d}", "is_open": day % 7 != 3} for day in range(1, 32)]
    return {"tickets": tickets, "calendar": calendar}


def _governed() -> dict[str, Any]:
    compared = {"segment": "total", "low": None, "value": 0.3, "high": None, "year": 2023, "n": 400, "source": "panel"}
    benchmarks = [
        {"benchmark_id": "b1", "kpi_id": "accessibility_rate", "same_definition": True, "evidence_grade": "B"},
        {"benchmark_id": "b2", "kpi_id": "overall_conversion_rate", "same_definition": False, "evidence_grade": "B"},
    ]
    heads = {"headcount_start": 50, "headcount_end": 48, "leavers_total": 4, "leavers_voluntary": 2}
    staff = [
        {"unit_id": unit, "period_start": f"2024-0{month}-01", "period_end": f"2024-0{month}-28", **heads}
        for unit in ("north", "south")
        for month in range(1, 7)
    ]
    return {
        "targets": [aimed(1, "active_customers"), aimed(2, "wom_reach", superseded_at="2024-03-01")],
        "benchmarks": [{**compared, **benchmark} for benchmark in benchmarks],
        "audit_inventory": [
            watched(1, "active_customers"),
            watched(2, "programme_roi", cadence_days=5),
            watched(3, None),
        ],
        "staff_periods": staff,
    }


HALF = {"period": "2024-01-01/2024-06-30", "data": "2022-01-01/2024-06-30"}
