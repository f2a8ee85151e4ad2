"""Minimum-sample rules: when a figure may be shown.

P (shares): NCHS 2017 presentation standards. M (means per person): 30 persons and a relative standard error of at most
30 %; of a mean that is a ratio (visits per month) each sum is worth 30 persons of equal parts. R (ratios of sums): 100
customers, and 30 behind each amount: of fewer among many, the delta method's interval is too narrow. K (survival): 30
at risk at the reported time. A figure that fails is ``low_n``, with the reason.
"""

from __future__ import annotations

import json

MINIMUM = {"P": 30, "M": 30, "R": 100, "K": 30}
PRIVACY_MINIMUM = 10
#: Columns whose values are single persons or their receipts: nothing is shown by them.
SINGLE = frozenset(
    (
        *("customer_id", "member_id", "household_id", "person", "visitor_id", "session_id", "respondent_id"),
        *("transaction_id", "line_id", "ticket_id", "invitation_id", "response_id", "entry_id", "lot_id"),
        *("redemption_id", "event_id", "referral_id", "payment_token_hash", "invitee_hash", "referrer_customer_id"),
        *("referred_customer_id", "referred_by_customer_id", "enrol_transaction_id"),
    )
)
OK = ("ok", "")


def reason(message: str, **values: float | str) -> str:
    """A reason as the scorecard stores it: a message id with its values."""
    return json.dumps({"id": f"reason.{message}", **values}, ensure_ascii=False)


def because(sentence: str, **values: float | str) -> str:
    """A reason in an author's own words, translated like a title: ``because("Only {n} shops.", n=3)``."""
    return json.dumps({"text": sentence, **values}, ensure_ascii=False)


def too_few(effective_n: float, minimum: int, cases: float | None = None) -> str:
    """Too few cases; where weights or clusters take some of their worth, what they are worth, which is said to be that.

    cases: their number, which stands beside the figure; where it is not known, a whole number is taken for it.
    """
    whole = abs(effective_n - (round(effective_n) if cases is None else cases)) < 1e-6
    message = "too_few_cases" if whole else "too_few_effective"
    return reason(message, n=int(effective_n + 1e-6), minimum=minimum)


def share_rule(value: float, low: float, high: float, effective_n: float) -> tuple[str, str]:
    """Rule P."""
    if effective_n < MINIMUM["P"]:
        return "low_n", too_few(effective_n, MINIMUM["P"])
    width = high - low
    if width <= 0.05 or (width < 0.30 and width <= 1.3 * value):
        return OK
    return "low_n", reason("interval_too_wide", width=round(width, 3))


def mean_rule(value: float, standard_error: float, alike: int, persons: int | None = None) -> tuple[str, str]:
    """Rule M; ``persons`` are told where a few make so much of a sum that it is worth that of fewer ``alike``."""
    if alike < MINIMUM["M"]:
        few = "too_few_persons" if persons in (None, alike) else "too_few_cases"
        return "low_n", reason(few, n=alike, minimum=MINIMUM["M"])
    if value == 0 or standard_error / abs(value) > 0.30:
        return "low_n", reason("relative_error_too_large", maximum=0.3)
    return OK


def ratio_rule(customers: int, behind: int | None = None) -> tuple[str, str]:
    """Rule R; ``behind`` are the fewest persons behind one of the sums, where it is known."""
    if customers < MINIMUM["R"]:
        return "low_n", reason("too_few_customers", n=customers, minimum=MINIMUM["R"])
    if behind is not None and behind < MINIMUM["M"]:
        return "low_n", reason("too_few_persons", n=behind, minimum=MINIMUM["M"])
    return OK


def survival_rule(at_risk: float) -> tuple[str, str]:
    """Rule K."""
    if at_risk < MINIMUM["K"]:
        return "low_n", reason("too_few_at_risk", n=int(at_risk), minimum=MINIMUM["K"])
    return OK
