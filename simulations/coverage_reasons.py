"""Why intervals that are not about the drawing of customers, or do not reach 93 to 97 %, are what they are."""

from __future__ import annotations

#: Intervals about something else than the drawing of customers: they have no line in the table.
OTHER_DESIGN = {
    "total_programme_cost": "all members are counted; its interval is that of the points yet to be redeemed",
    "programme_cost_per_active_member": "likewise: only the cost's estimate varies, not who is a member",
    "employee_satisfaction": "its interval is for a finite staff of whom most answered, not for ever new staff",
    "employee_turnover": "staff are the same in every sample",
}

#: {(kpi, reading): why}; a KPI alone stands for all its readings, "change" for its changes.
REASONS: dict[tuple[str, str], str] = {}


def why(kpi: str, reading: str, change: bool, verdict: str) -> str:
    """The reason known, or that none is."""
    keys = [(kpi, f"{reading} change".strip())] if change else [(kpi, reading)]
    found = next((REASONS[key] for key in [*keys, (kpi, "*")] if key in REASONS), "")
    return found or f"Not explained: its interval is too {'narrow' if verdict == 'below' else 'wide'} here."
