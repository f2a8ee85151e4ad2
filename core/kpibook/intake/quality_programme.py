"""The programme: memberships, points, campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake.facts import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpibook.intake.checks import Checks


def card_use(checks: Checks) -> Iterator[Finding]:
    """What every purchase of a member was assumed to be; else, cards shown before enrolment."""
    if checks.params.card_use == "every_purchase":
        rows = checks.one("SELECT count(member_id) FROM transactions")[0]
        yield Finding("assumed_card_use", "info", "transactions", "member_id", rows, checks.rows("transactions"))
    elif checks.has("transactions", "member_id") and checks.has("memberships", "enrolled_at"):
        test = "first_use < CAST(enrolled_at AS DATE)"
        rows = checks.one(
            "SELECT count(*) FROM memberships JOIN (SELECT member_id, min(business_date) AS first_use "
            f"FROM transactions GROUP BY member_id) USING (member_id) WHERE {test}"
        )[0]
        severity: Severity = "amber" if rows else "green"
        yield Finding("card_before_enrolment", severity, "memberships", "enrolled_at", rows, checks.rows("memberships"))


def points_balance(checks: Checks) -> Iterator[Finding]:
    """Members whose points go below zero at the end of some day."""
    if not checks.has("points_ledger", "member_id", "ts", "points"):
        return
    rows, of_rows = checks.one(
        "SELECT count(*) FILTER (lowest < 0), count(*) FROM (SELECT member_id, min(balance) AS lowest FROM ("
        "SELECT member_id, sum(sum(points)) OVER (PARTITION BY member_id ORDER BY CAST(ts AS DATE)) AS balance "
        "FROM points_ledger WHERE member_id IS NOT NULL GROUP BY member_id, CAST(ts AS DATE)) GROUP BY member_id)"
    )
    severity: Severity = "amber" if rows else "green"
    yield Finding("points_below_zero", severity, "points_ledger", "points", rows, of_rows)


def controls(checks: Checks) -> Iterator[Finding]:
    """Campaigns without a control group: their uplift cannot be identified."""
    if not checks.has("campaign_targets"):
        return
    rows, of_rows = checks.one(
        "SELECT count(*) FILTER (controls = 0), count(*) FROM (SELECT campaign_id, "
        "count(*) FILTER (arm = 'control') AS controls FROM campaign_targets GROUP BY campaign_id)"
    )
    yield Finding("no_controls", "info" if rows else "green", "campaign_targets", "arm", rows, of_rows)


def targets(checks: Checks) -> Iterator[Finding]:
    """Targets of the report's period that were set when it had begun."""
    if not checks.rows_of("targets"):
        return
    period = checks.params.period
    ours = f"period_start < DATE '{period.end}' AND period_end >= DATE '{period.start}'"
    rows, of_rows = checks.one(
        f"SELECT count(*) FILTER (CAST(set_at AS DATE) > period_start), count(*) FROM targets WHERE {ours}"
    )
    if of_rows:
        yield Finding("target_set_late", "amber" if rows else "green", "targets", "set_at", rows, of_rows)


RULES = (card_use, points_balance, controls, targets)
