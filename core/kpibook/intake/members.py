"""Card use at every purchase: receipts of customers who are members at that time."""

from __future__ import annotations

from kpibook.model import TABLES


def with_members(receipts: str, memberships: str) -> str:
    """SELECT of ``receipts`` with the membership valid on the business date, the latest when there are several.

    Valid is a membership from the day of enrolment up to, not including, the day it was closed.
    """
    columns = ", ".join(
        "m.member_id" if column == "member_id" else f't."{column}"' for column in TABLES["transactions"].columns
    )
    return (
        f"SELECT {columns} FROM {receipts} AS t LEFT JOIN ("
        "SELECT r.transaction_id, max_by(c.member_id, (c.enrolled_at, c.member_id)) AS member_id "
        f"FROM {receipts} AS r JOIN {memberships} AS c ON c.customer_id = r.customer_id "
        "WHERE CAST(c.enrolled_at AS DATE) <= r.business_date "
        "AND (c.closed_at IS NULL OR CAST(c.closed_at AS DATE) > r.business_date) "
        "GROUP BY r.transaction_id) AS m ON m.transaction_id = t.transaction_id ORDER BY t.transaction_id"
    )
