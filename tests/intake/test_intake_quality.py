"""Quality findings: what each rule counts, on rows that can be counted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from intake.shop_client import fetch, found
from kpibook.intake.facts import SEVERITIES, Finding

if TYPE_CHECKING:
    from intake.shop_client import Client
    from kpibook.intake import Intake

HEADS = "transactions: {from: heads.csv, columns: {transaction_id: id, business_date: day, customer_id: who}}\n"
LINES = "order_lines: {from: lines.csv, columns: {line_id: line, transaction_id: id, net_amount: net}}\n"


def one(loaded: Intake, rule: str, table: str | None = None, column: str | None = None) -> Finding:
    findings = found(loaded, rule, table, column)
    assert len(findings) == 1
    return findings[0]


def shop(client: Client, lines: str, heads: str = "", head: str = "", more: str = "") -> Intake:
    """Lines ``id,line,net``; one receipt a day for customer 7 unless ``heads`` says otherwise."""
    client.csv("lines.csv", "id,line,net\n" + lines)
    ids = list(dict.fromkeys(line.split(",")[0] for line in lines.split()))
    made = "".join(f"{name},2017-07-{i:02d},7\n" for i, name in enumerate(ids, start=1))
    client.csv("heads.csv", "id,day,who\n" + (heads or made))
    return client.load(HEADS + LINES + more, head)


def test_clean_data_are_green(client: Client) -> None:
    loaded = shop(client, "A,1,10\nB,2,20\n", head="period: 2017-07-01/2017-07-02\ncompare: none\n")
    assert {f.severity for f in loaded.findings} == {"green", "info"}
    assert one(loaded, "unique_key", "transactions").of_rows == 2
    assert one(loaded, "empty", "order_lines").severity == "green"
    assert one(loaded, "odd_date", "transactions").severity == "green"
    assert one(loaded, "duplicate_lines").severity == "green"
    assert one(loaded, "period_covered").severity == "green"
    assert one(loaded, "month_without_data").severity == "green"
    assert one(loaded, "receipt_not_positive").severity == "green"
    assert one(loaded, "anonymous_sales").value_share == 0.0
    assert one(loaded, "unknown_reference", "order_lines", "transaction_id").severity == "green"


def test_findings_are_in_one_order(client: Client) -> None:
    loaded = shop(client, "A,1,10\nX,2,20\n", heads="A,2017-07-01,7\n")
    order = [SEVERITIES.index(f.severity) for f in loaded.findings]
    assert order == sorted(order)
    assert tuple(sorted(loaded.findings, key=lambda f: f.order)) == loaded.findings


def test_references_to_nothing(client: Client) -> None:
    loaded = shop(client, "A,1,10\nX,2,20\nX,3,5\nY,4,15\n", heads="A,2017-07-01,7\n")
    finding = one(loaded, "unknown_reference", "order_lines", "transaction_id")
    assert (finding.severity, finding.rows, finding.of_rows) == ("amber", 3, 4)
    assert finding.value_share == 0.8  # 40 of 50
    assert finding.details == {"to": "transactions", "distinct": 2}
    assert finding.examples == (2, 3, 4)


def test_references_between_delivered_tables_only(client: Client) -> None:
    client.csv("people.csv", "who,by\n7,\n8,9\n")
    more = "customers: {from: people.csv, columns: {customer_id: who, referred_by_customer_id: by}}\n"
    loaded = shop(client, "A,1,10\nB,2,30\n", heads="A,2017-07-01,7\nB,2017-07-02,6\n", more=more)
    receipts = one(loaded, "unknown_reference", "transactions", "customer_id")
    assert (receipts.rows, receipts.value_share, receipts.examples) == (1, 0.75, (2,))
    friends = one(loaded, "unknown_reference", "customers", "referred_by_customer_id")
    assert (friends.rows, friends.value_share, friends.examples) == (1, None, (2,))
    assert found(loaded, "unknown_reference", "order_lines", "product_id") == []


def test_empty_values_and_odd_dates(client: Client) -> None:
    client.csv("people.csv", "who,made,mail\n7,1900-01-01,\n8,2100-01-01,yes\n9,2017-01-01,no\n")
    more = "customers: {from: people.csv, columns: {customer_id: who, created_at: made, consent_email: mail}}\n"
    loaded = shop(client, "A,1,10\nB,2,\nB,3,30\n", more=more)
    net = one(loaded, "empty", "order_lines", "net_amount")
    assert (net.severity, net.rows, net.of_rows, net.examples) == ("red", 1, 3, (2,))
    mail = one(loaded, "empty", "customers")
    assert (mail.severity, mail.column, mail.rows, mail.examples) == ("amber", "consent_email", 1, (1,))
    made = one(loaded, "odd_date", "customers")
    assert (made.severity, made.column, made.rows, made.examples) == ("amber", "created_at", 2, (1, 2))


def test_value_of_empty_values(client: Client) -> None:
    loaded = shop(client, "A,1,10\n,2,30\n", heads="A,2017-07-01,7\n")
    finding = one(loaded, "empty", "order_lines", "transaction_id")
    assert (finding.severity, finding.value_share) == ("red", 0.75)


def test_doubled_lines(client: Client) -> None:
    finding = one(shop(client, "A,1,10\nA,2,10\nA,3,10\nA,4,11\nB,5,10\n"), "duplicate_lines")
    assert (finding.severity, finding.rows, finding.of_rows) == ("amber", 2, 5)


def test_amounts_that_do_not_add_up(client: Client) -> None:
    client.csv("lines.csv", "id,g,a,b,net\nA,10,1,2,7\nA,10,1,,9.01\nB,10,1,2,7.02\nC,10,,,10.00\n")
    client.csv("heads.csv", "id,day,who\nA,2017-07-01,7\nB,2017-07-01,7\nC,2017-07-01,7\n")
    lines = (
        "order_lines: {from: lines.csv, columns: {transaction_id: id, gross_amount: g, general_discount: a, "
        "loyalty_discount: b, net_amount: net}}"
    )
    finding = one(client.load(HEADS + lines), "amounts_differ")
    assert (finding.severity, finding.rows, finding.of_rows, finding.examples) == ("amber", 1, 4, (3,))
    assert finding.value_share == pytest.approx(7.02 / 33.03)


def test_receipts_of_nothing_or_less(client: Client) -> None:
    finding = one(shop(client, "A,1,10\nA,2,-10\nB,3,-1\nC,4,5\n"), "receipt_not_positive")
    assert (finding.severity, finding.rows, finding.of_rows) == ("amber", 2, 3)
    many = "".join(f"R{i},{i},1\n" for i in range(30)) + "X,99,0\n"
    finding = one(shop(client, many, heads="".join(f"R{i},2017-07-01,7\n" for i in range(30)) + "X,2017-07-01,7\n"),
                  "receipt_not_positive")  # fmt: skip
    assert (finding.severity, finding.rows, finding.of_rows) == ("info", 1, 31)


def test_receipts_without_lines(client: Client) -> None:
    finding = one(shop(client, "A,1,10\n", heads="A,2017-07-01,7\nB,2017-07-01,7\n"), "receipt_without_lines")
    assert (finding.severity, finding.rows, finding.of_rows, finding.examples) == ("amber", 1, 2, (2,))


def test_another_currency(client: Client) -> None:
    client.csv("lines.csv", "id,day,cur,net\nA,2017-07-01,EUR,30\nB,2017-07-01,USD,10\nC,2017-07-01,eur,10\n")
    tables = "order_lines: {from: lines.csv, columns: {transaction_id: id, ts: day, currency: cur, net_amount: net}}"
    finding = one(client.load(tables), "other_currency")
    assert (finding.severity, finding.rows, finding.value_share, finding.examples) == ("red", 1, 0.2, (2,))
    assert finding.details == {"currency": "EUR"}


def test_anonymous_sales(client: Client) -> None:
    heads = "A,2017-07-01,7\nB,2017-07-01,\n"
    finding = one(shop(client, "A,1,10\nB,2,30\n", heads=heads), "anonymous_sales")
    assert (finding.severity, finding.rows, finding.of_rows, finding.value_share) == ("info", 1, 2, 0.75)
    loaded = shop(client, "A,1,10\nB,2,30\n", heads="A,2017-07-01,\nB,2017-07-01,\n")
    assert (one(loaded, "anonymous_sales").severity, one(loaded, "anonymous_sales").value_share) == ("red", 1.0)
    assert (one(loaded, "no_customers").severity, one(loaded, "no_customers").rows) == ("red", 2)


def test_returns(client: Client) -> None:
    client.csv(
        "lines.csv",
        "id,day,line,of,n,net\nA,2017-07-01,1,,2,20\nB,2017-07-05,2,1,-1,-10\nC,2017-07-06,3,1,-2,-20\n"
        "D,2017-08-10,4,9,-1,-10\nE,2017-08-20,5,,1,50\n",
    )
    tables = (
        "order_lines: {from: lines.csv, columns: {transaction_id: id, ts: day, line_id: line, return_of_line_id: of, "
        "quantity: n, net_amount: net}}"
    )
    loaded = client.load(tables)
    lost = one(loaded, "return_without_original")
    assert (lost.severity, lost.rows, lost.of_rows, lost.examples) == ("amber", 1, 3, (4,))
    above = one(loaded, "return_above_bought")
    assert (above.severity, above.rows, above.of_rows) == ("amber", 1, 3)  # 3 brought back of 2 bought
    provisional = one(loaded, "provisional_returns")
    assert (provisional.severity, provisional.rows, provisional.of_rows) == ("info", 2, 5)
    assert provisional.details == {"since": "2017-07-22", "days": 30}
    assert found(loaded, "unknown_reference", "order_lines", "return_of_line_id") == []
    assert found(loaded, "returns_not_linked") == []
    unlinked = client.load(tables.replace("return_of_line_id: of, ", ""))
    assert (one(unlinked, "returns_not_linked").rows, found(unlinked, "provisional_returns")) == (3, [])


def test_returns_are_final_when_the_data_go_on(client: Client) -> None:
    client.csv("lines.csv", "id,day,line,of,n\nA,2017-07-01,1,,2\nB,2017-07-05,2,1,-1\nC,2017-09-06,3,,1\n")
    tables = (
        "order_lines: {from: lines.csv, columns: {transaction_id: id, ts: day, line_id: line, return_of_line_id: of, "
        "quantity: n}}"
    )
    loaded = client.load(tables, "period: 2017-07-01/2017-07-31\n")
    assert found(loaded, "provisional_returns") == []
    assert one(loaded, "return_without_original").severity == "green"
    later = one(loaded, "later_than_period")
    assert (later.severity, later.rows, later.of_rows, later.details) == ("info", 1, 3, {"end": "2017-07-31"})


@pytest.mark.parametrize(
    ("audited", "severity", "rows", "deviation"), [(1005, "green", 0, -0.004975), (1020, "red", 1, -0.019608)]
)
def test_audited_totals(client: Client, audited: int, severity: str, rows: int, deviation: float) -> None:
    client.csv(
        "books.csv", f"a,b,rev\n2017-07-01,2017-07-02,{audited}\n2016-01-01,2016-12-31,5\n2017-07-02,2017-07-02,400\n"
    )
    more = "company_financials: {from: books.csv, columns: {period_start: a, period_end: b, net_revenue: rev}}\n"
    finding = one(shop(client, "A,1,600\nB,2,400\n", more=more), "financials_differ")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, rows, 2)  # 2016 lies outside the data
    days = {"start": "2017-07-01", "end": "2017-07-02"}
    assert finding.details == {"deviation": deviation, **days, "tolerance": 0.01}


LINES_OF_MONTHS = "id,day,net,who\nA,2017-07-01,600,a\nB,2017-08-15,400,b\nC,2017-09-30,500,c\n"
MONTHS = {"2017-07-01": "2017-07-31", "2017-08-01": "2017-08-31", "2017-09-01": "2017-09-30"}


@pytest.mark.parametrize(
    ("accounts", "severity", "rows", "deviations"),
    [
        ((600, 404, 500), "green", 0, [0, -0.00990099, 0, -0.00265957]),
        ((580, 420, 500), "amber", 2, [0.03448276, -0.04761905, 0, 0]),  # July and August shift, the quarter agrees
        ((600, 450, 500), "red", 1, [0, -0.11111111, 0, -0.03225806]),
        ((594.5, 396.3, 495.3), "green", 0, [0.00925147, 0.00933636, 0.00948920, 0.00935334]),
    ],
)
def test_accounts_month_by_month(
    client: Client, accounts: tuple[float, ...], severity: str, rows: int, deviations: list[float]
) -> None:
    """Sales of 600, 400 and 500; the last span is the quarter, added up from its months."""
    lines = [f"{a},{b},{x}\n" for (a, b), x in zip(MONTHS.items(), accounts, strict=True)]
    client.csv("books.csv", "a,b,rev\n" + "".join(lines))
    loaded = _with_books(client)
    finding = one(loaded, "financials_differ")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, rows, 3)
    assert [round(span.deviation, 8) for span in loaded.reconciled] == deviations
    assert [span.whole for span in loaded.reconciled] == [False, False, False, True]
    assert loaded.is_draft == (severity == "red")


def test_a_month_of_the_accounts_without_any_sales_differs(client: Client) -> None:
    """The accounts have 100 for a day on which nothing was sold here: all of it is missing."""
    client.csv("books.csv", "a,b,rev\n2017-07-20,2017-07-21,100\n")
    loaded = _with_books(client)
    assert [(span.ours, span.deviation, span.agrees) for span in loaded.reconciled] == [(0, -1, False)]
    assert one(loaded, "financials_differ").severity == "red"


def _with_books(client: Client) -> Intake:
    client.csv("lines.csv", LINES_OF_MONTHS)
    tables = (
        "order_lines: {from: lines.csv, columns: {transaction_id: id, ts: day, net_amount: net, customer_id: who}}\n"
        "company_financials: {from: books.csv, columns: {period_start: a, period_end: b, net_revenue: rev}}\n"
    )
    return client.load(tables, "period: 2017-07-01/2017-09-30\n")


def test_targets_set_too_late(client: Client) -> None:
    """Of two targets one was set in the period."""
    client.csv("lines.csv", LINES_OF_MONTHS)
    tables = "order_lines: {from: lines.csv, columns: {transaction_id: id, ts: day, net_amount: net}}\n"
    targets = (
        "targets:\n- {kpi: net_sales, value: 1, comparator: '>=', set_at: 2017-06-30}\n"
        "- {kpi: avg_receipt, value: 1, comparator: '>=', set_at: %s}\n"
    )
    late = one(client.load(tables, "period: 2017-07-01/2017-09-30\n" + targets % "2017-08-01"), "target_set_late")
    assert (late.severity, late.table, late.column, late.rows, late.of_rows) == ("amber", "targets", "set_at", 1, 2)
    good = one(client.load(tables, "period: 2017-07-01/2017-09-30\n" + targets % "2017-07-01"), "target_set_late")
    assert (good.severity, good.rows) == ("green", 0)


def test_audited_totals_outside_the_data(client: Client) -> None:
    client.csv("books.csv", "a,b,rev\n2016-01-01,2016-12-31,5\n")
    more = "company_financials: {from: books.csv, columns: {period_start: a, period_end: b, net_revenue: rev}}\n"
    assert found(shop(client, "A,1,600\n", more=more), "financials_differ") == []


def test_cards_shown_before_enrolment(client: Client) -> None:
    client.csv("heads.csv", "id,day,who,card\nA,2017-07-01,7,M1\nB,2017-07-02,8,M2\n")
    client.csv("lines.csv", "id,line,net\nA,1,1\nB,2,1\n")
    client.csv("members.csv", "card,who,since\nM1,7,2017-07-02\nM2,8,2017-07-02 20:00\nM3,9,2017-01-01\n")
    tables = (
        HEADS.replace("who}", "who, member_id: card}")
        + LINES
        + ("memberships: {from: members.csv, columns: {member_id: card, customer_id: who, enrolled_at: since}}")
    )
    finding = one(client.load(tables), "card_before_enrolment")
    assert (finding.severity, finding.rows, finding.of_rows) == ("amber", 1, 3)  # M2 enrolled later that day


def test_points_below_zero(client: Client) -> None:
    client.csv(
        "points.csv",
        "id,card,t,kind,n\n1,M1,2017-07-01 12:00,redeem,-5\n2,M1,2017-07-01 18:00,earn,10\n"
        "3,M2,2017-07-01,earn,3\n4,M2,2017-07-02,redeem,-4\n5,M2,2017-07-03,earn,9\n",
    )
    more = "points_ledger: {from: points.csv, columns: {entry_id: id, member_id: card, ts: t, type: kind, points: n}}\n"
    finding = one(shop(client, "A,1,10\n", more=more), "points_below_zero")
    assert (finding.severity, finding.rows, finding.of_rows) == ("amber", 1, 2)  # M1 is at 5 by the evening


@pytest.mark.parametrize(("second", "severity", "rows"), [("treatment", "info", 2), ("control", "info", 1)])
def test_campaigns_without_controls(client: Client, second: str, severity: str, rows: int) -> None:
    client.csv("targets.csv", f"c,who,arm\n1,7,treatment\n1,8,{second}\n2,7,treatment\n")
    more = "campaign_targets: {from: targets.csv, columns: {campaign_id: c, customer_id: who, arm: arm}}\n"
    finding = one(shop(client, "A,1,10\n", more=more), "no_controls")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, rows, 2)


def test_days_that_are_not_covered(client: Client) -> None:
    heads = "A,2017-07-04,7\nB,2017-12-20,7\n"
    loaded = shop(client, "A,1,10\nB,2,10\n", heads=heads, head="compare: previous\n")
    period = one(loaded, "period_covered")
    assert (period.severity, period.rows) == ("amber", 2)
    assert period.details == {
        "first": "2017-07-04",
        "last": "2017-12-20",
        "start": "2017-07-01",
        "end": "2017-12-31",
        "missing_days": 14,  # three in July, eleven in December
    }
    assert one(loaded, "comparison_without_data").severity == "amber"
    assert one(loaded, "comparison_without_data").details["missing_days"] == 181
    months = one(loaded, "month_without_data")
    assert (months.severity, months.rows, months.of_rows) == ("red", 4, 6)
    assert months.details == {"months": 6, "first": "2017-08"}


def test_a_few_closed_days_are_no_fault(client: Client) -> None:
    heads = "A,2017-07-03,7\nB,2017-07-30,7\n"
    loaded = shop(client, "A,1,10\nB,2,10\n", heads=heads, head="period: 2017-07-01/2017-07-31\n")
    assert one(loaded, "period_covered").severity == "info"
    assert one(loaded, "period_covered").details["missing_days"] == 3


def test_findings_hold_no_customer_data(client: Client) -> None:
    heads = "SECRET-R,2017-07-01,SECRET-C\nB,1901-07-01,\n"
    loaded = shop(client, "SECRET-X,1,10\nB,SECRET-L,\n", heads=heads)
    assert "SECRET" not in str(loaded.findings)
    assert fetch(loaded, "SELECT count(*) FROM transactions WHERE customer_id = 'SECRET-C'") == [(1,)]


@pytest.mark.parametrize(
    ("written", "rows", "severity"),
    [
        (lambda i: f"{i}", 20, "red"),  # all: the members' file has 00001, a spreadsheet took the zeros from the sales
        (lambda i: f"{i:05}" if i > 1 else "1", 1, "amber"),
        (lambda i: f"{i:05}", None, None),
    ],
)
def test_ids_that_lost_their_zeros(client: Client, written: Any, rows: int | None, severity: str | None) -> None:
    """Twenty receipts, one a person; the customers' file has every id with its zeros."""
    lines = "".join(f"t{i},{written(i)},2017-08-01,5\n" for i in range(1, 21))
    client.csv("lines.csv", "t,c,at,n\n" + lines)
    client.csv("people.csv", "id\n" + "".join(f"{i:05}\n" for i in range(1, 21)))
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: t, customer_id: c, ts: at, net_amount: n}}\n"
        "customers: {from: people.csv, columns: {customer_id: id}}"
    )
    told = [(f.rows, f.of_rows, f.severity, dict(f.details)) for f in found(loaded, "ids_alike")]
    assert told == ([] if rows is None else [(rows, 20, severity, {"distinct": 2 * rows})])


def test_ids_that_differ_in_capitals(client: Client) -> None:
    """c7 and C7 of 30 receipts: two ids, and 2 receipts."""
    ids = ["c7", "C7", *(f"c{i}" for i in range(10, 38))]
    client.csv("lines.csv", "t,c,at,n\n" + "".join(f"t{i},{c},2017-08-01,5\n" for i, c in enumerate(ids)))
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: t, customer_id: c, ts: at, net_amount: n}}"
    )
    (told,) = found(loaded, "ids_alike")
    assert (told.table, told.column, told.rows, told.of_rows) == ("transactions", "customer_id", 2, 30)
    assert (told.severity, dict(told.details)) == ("red", {"distinct": 2})


def test_a_finding_names_its_place_and_whether_it_is_about_reading() -> None:
    whole, column = Finding("read_encoding", "amber", "order_lines"), Finding("orphans", "red", "order_lines", "net")
    assert (whole.place, column.place) == ("order_lines", "order_lines.net")
    assert (whole.is_reading, column.is_reading) == (True, False)
