"""When a finding is serious, which makes the report a draft, and when it is to be checked: for docs/intake.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kpibook.intake import quality, quality_coverage, quality_ids, quality_outliers, quality_sales, reconciliation

if TYPE_CHECKING:
    from collections.abc import Mapping


class Judged(NamedTuple):
    """Never, where a text is empty. What is neither is for information, or in order."""

    serious: str = ""
    to_check: str = ""


_ANY = Judged(to_check="any")
_TOLERANCE = f"{reconciliation.TOLERANCE:.0%}"
_CLOSED = f"more than {quality_coverage.CLOSED_DAYS} days"
_MISSING = f"{quality_coverage.MOST_MISSING:.0%}"
_TWICE = f"{quality_sales.MOST_DELIVERED_TWICE:.0%}"
_OUTLYING = (
    f"up to {quality_outliers.SOME_ROWS} values (one in {quality_outliers.ONE_IN} in long columns, never more than "
    f"{quality_outliers.MOST_ROWS}), each at least {quality_outliers.FAR} times any other in size, carry more than "
    f"{quality_outliers.MOST_OF_VALUE:.0%} of a column of {quality_outliers.ENOUGH} values or more"
)

#: Every rule but those that tell how a file was read: these are never serious, for what could be wrong is refused.
RULES: Mapping[str, Judged] = {
    "amounts_differ": _ANY,
    "anonymous_sales": Judged("all receipts"),
    "assumed": Judged(),
    "assumed_card_use": Judged(),
    "card_before_enrolment": _ANY,
    "comparison_covered": Judged(to_check=f"{_CLOSED} of the comparison lie outside the data: it is not compared"),
    "comparison_without_data": _ANY,
    "duplicate_lines": Judged(
        f"more than {_TWICE} of the lines, in receipts of which every line stands there more than once", "any other"
    ),
    "empty": Judged(f"any in {', '.join(f'`{c}`' for c in sorted(quality.NEEDED_EVERYWHERE))}", "any other"),
    "empty_assumed": _ANY,
    "financials_differ": Judged(
        f"the period deviates by more than {_TOLERANCE}, or, where no spans make it up, any span",
        f"spans deviate by more than {_TOLERANCE}, the period does not",
    ),
    "header_differs": _ANY,
    "ids_alike": Judged(f"more than {quality_ids.MANY:.0%} of the receipts", "any other"),
    "later_than_period": Judged(),
    "month_without_data": Judged(
        f"more than {_MISSING} of the period's months, unless no other year has sales in that month either", "any other"
    ),
    "no_controls": Judged(),
    "no_customers": Judged("any"),
    "odd_date": _ANY,
    "other_currency": Judged("any"),
    "outlying_values": Judged(
        _OUTLYING, f"one value does, of a column of {quality_outliers.FEWEST} to {quality_outliers.ENOUGH - 1}"
    ),
    "period_covered": Judged(
        f"{_CLOSED}, and more than {_MISSING}, of the period lie outside the data", f"{_CLOSED} do"
    ),
    "period_without_data": Judged("any: such data are refused"),
    "points_below_zero": _ANY,
    "provisional_returns": Judged(),
    "receipt_not_positive": Judged(to_check=f"more than {quality_sales.MANY_NOT_POSITIVE:.0%} of the receipts"),
    "receipt_without_lines": _ANY,
    "return_above_bought": _ANY,
    "return_without_original": _ANY,
    "returns_not_linked": Judged(),
    "target_set_late": _ANY,
    "unique_key": Judged(),
    "unknown_reference": _ANY,
}
