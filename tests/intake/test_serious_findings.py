"""What makes a report a draft: each rule on both sides of its limit, counted by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intake.shop_client import fetch, found
from kpibook.intake.severities import RULES
from kpibook.present.audit_tables import finding_text
from kpibook.present.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from intake.shop_client import Client
    from kpibook.intake import Finding, Intake

CORE = Path(__file__).parents[2] / "core" / "kpibook"
FLAT = "order_lines: {from: lines.csv, columns: {transaction_id: t, ts: day, customer_id: who, net_amount: net}}\n"
YEAR = "period: 2017-01-01/2017-12-31\n"


def lines(client: Client, values: Iterable[str], more: str = "") -> Intake:
    """A receipt of one line a value, all on one day, in that order."""
    rows = "".join(f"t{i},2017-07-01,c{i % 7},{value}\n" for i, value in enumerate(values, start=1))
    client.csv("lines.csv", "t,day,who,net\n" + rows)
    return client.load(FLAT + more, "period: 2017-07-01/2017-07-01\n")


def days(client: Client, dates: Iterable[str], head: str = YEAR) -> Intake:
    """A receipt a date."""
    client.csv("lines.csv", "t,day,who,net\n" + "".join(f"t{i},{day},c{i},5\n" for i, day in enumerate(dates)))
    return client.load(FLAT, head)


def only(loaded: Intake, rule: str) -> Finding:
    (finding,) = found(loaded, rule)
    return finding


def months(year: int, *numbers: int) -> list[str]:
    """The first of each month, all twelve by themselves."""
    return [f"{year}-{month:02}-01" for month in numbers or range(1, 13)]


def test_one_cell_that_is_most_of_a_column(client: Client) -> None:
    """99 lines of 100 and one of 9,999,999: 9,999,999 of 10,009,899, and 99,999.99 times the next."""
    loaded = lines(client, ["100"] * 41 + ["9999999"] + ["100"] * 58)
    finding = only(loaded, "outlying_values")
    assert (finding.severity, finding.place, finding.rows, finding.of_rows, finding.examples) == (
        "red", "order_lines.net_amount", 1, 100, (42,)
    )  # fmt: skip
    assert (finding.value_share, finding.details) == (pytest.approx(9_999_999 / 10_009_899), {"times": 99_999})
    assert loaded.is_draft
    assert finding_text(finding, Words("en")) == (
        "So few rows carry most of the column; the smallest of them is 99,999 times the largest other value. "
        "Probably a slip in writing: until it is corrected, totals and averages are those of these rows."
    )


@pytest.mark.parametrize(
    ("values", "severity", "rows"),
    [
        (["10"] * 99 + ["990"], "green", 0),  # just half
        (["10"] * 99 + ["991"], "red", 1),
        (["10"] * 99 + ["-991"], "red", 1),
        (["1"] * 95 + ["100"] * 4 + ["999"], "green", 0),  # 999 of 1,494, and less than ten times 100
        (["1"] * 95 + ["100"] * 4 + ["1000"], "red", 1),
        (["1"] * 97 + ["1000"] * 3, "red", 3),
        (["1"] * 96 + ["1000"] * 4, "green", 0),  # four of a hundred are no handful
        (["1"] * 94 + ["90"] * 4 + ["900", "9000"], "red", 2),  # 9000 is apart by itself, and 900 from the rest too
        (["10"] * 98 + ["9999999", "-9999999"], "green", 0),  # a slip and its cancellation
        (["10"] * 98 + ["991", "0"], "amber", 1),  # a gift is no value: 99 of them
        (["1"] * 9 + ["1000000"], "amber", 1),
        (["1"] * 7 + ["1000000"] * 3, "green", 0),
    ],
)
def test_how_few_and_how_far(client: Client, values: Sequence[str], severity: str, rows: int) -> None:
    finding = only(lines(client, values), "outlying_values")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, rows, len(values))


@pytest.mark.parametrize(("far", "severity"), [(10, "red"), (11, "green")])
def test_a_handful_of_many_rows_is_ten(client: Client, far: int, severity: str) -> None:
    """Of 12,000 lines of 1: one in a thousand would be 12, and ten is the most."""
    assert only(lines(client, ["1"] * 12_000 + ["10000"] * far), "outlying_values").severity == severity


def test_few_values_and_costs_are_not_judged(client: Client) -> None:
    """Nine lines with one of a million; a hundred costs of 10 and one of a million."""
    costs = "".join(f"k{i},2017-07-01,2017-07-01,{10 if i else 1000000}\n" for i in range(101))
    client.csv("costs.csv", "id,a,b,x\n" + costs)
    more = "programme_costs: {from: costs.csv, columns: {cost_id: id, period_start: a, period_end: b, amount: x}}\n"
    loaded = lines(client, ["1"] * 8 + ["1000000"], more)
    assert found(loaded, "outlying_values") == []
    assert fetch(loaded, "SELECT count(*), max(amount) FROM programme_costs") == [(101, 1_000_000)]


def test_points_are_judged_as_amounts_are(client: Client) -> None:
    client.csv(
        "points.csv",
        "id,card,t,kind,n\n" + "".join(f"{i},M{i},2017-07-01,earn,{20 if i else 9999999}\n" for i in range(100)),
    )
    more = "points_ledger: {from: points.csv, columns: {entry_id: id, member_id: card, ts: t, type: kind, points: n}}\n"
    (finding,) = found(lines(client, ["1"] * 5, more), "outlying_values")
    assert (finding.severity, finding.place, finding.details) == ("red", "points_ledger.points", {"times": 499_999})


@pytest.mark.parametrize(
    ("last", "severity", "missing"),
    [
        ("2017-05-31", "red", 214),
        ("2017-11-24", "red", 37),  # of 365 days
        ("2017-11-25", "amber", 36),
        ("2017-12-24", "info", 7),
        ("2017-12-31", "green", 0),
    ],
)
def test_data_that_end_before_the_period(client: Client, last: str, severity: str, missing: int) -> None:
    """A purchase on the first of every month up to the last day."""
    loaded = days(client, [*(day for day in months(2017) if day < last), last])
    finding = only(loaded, "period_covered")
    assert (finding.severity, finding.details["missing_days"]) == (severity, missing)
    assert loaded.is_draft == (severity == "red")


def test_a_short_period_may_lack_a_week(client: Client) -> None:
    """Seven of thirty days are more than a tenth, and closed days still."""
    finding = only(days(client, ["2017-06-01", "2017-06-23"], "period: 2017-06-01/2017-06-30\n"), "period_covered")
    assert (finding.severity, finding.details["missing_days"]) == ("info", 7)


def test_the_comparison_never_makes_a_draft(client: Client) -> None:
    alone = days(client, [*months(2017), "2017-12-31"], YEAR + "compare: year_before\n")
    assert (only(alone, "comparison_without_data").severity, alone.is_draft) == ("amber", False)
    part = days(client, [*months(2016, 9, 10, 11, 12), *months(2017), "2017-12-31"], YEAR + "compare: year_before\n")
    assert (only(part, "comparison_covered").severity, part.is_draft) == ("amber", False)


@pytest.mark.parametrize(
    ("before", "lost", "severity"),
    [
        ([], (6,), "amber"),  # one of twelve months
        ([], (6, 7), "red"),
        (months(2016), (6, 7), "red"),
        (months(2016, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12), (6, 7), "amber"),  # closed in those months
        (months(2016, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12), (6, 7), "amber"),  # July only is lost
        (months(2016, 9, 10, 11, 12), (6, 7), "red"),  # of 2016 nobody knows
        (["1900-01-01"], (6, 7), "red"),  # no year of the shop's
    ],
)
def test_months_without_purchases(client: Client, before: list[str], lost: Sequence[int], severity: str) -> None:
    year = [day for i, day in enumerate(months(2017), start=1) if i not in lost]
    finding = only(days(client, [*before, *year, "2017-12-31"]), "month_without_data")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, len(lost), 12)


def test_sales_of_the_month_before_the_period_began_are_not_the_periods(client: Client) -> None:
    """Sales on 3 January, and none from 15 January on in that month."""
    loaded = days(client, ["2017-01-03", *months(2017, 2, 3), "2017-03-31"], "period: 2017-01-15/2017-03-31\n")
    finding = only(loaded, "month_without_data")
    assert (finding.severity, finding.rows, finding.of_rows, finding.details["first"]) == ("red", 1, 3, "2017-01")


@pytest.mark.parametrize(
    ("doubled", "severity", "rows"),
    [
        (["A,1", "A,2"] * 2, "red", 2),  # 2 of 22 lines are a second copy of the whole receipt A
        (["A,1", "A,2"] * 3, "red", 4),
        (["A,1", "A,1", "A,1", "A,2"], "amber", 2),  # an article printed three times
        (["A,1", "A,1", "A,1", "A,1"], "red", 3),
        (["A,1", "A,1"], "amber", 1),  # 1 of 20 lines is not more than 5 %
        (["A,1", "A,2"], "green", 0),
    ],
)
def test_lines_delivered_twice(client: Client, doubled: list[str], severity: str, rows: int) -> None:
    """Receipt A, and 18 receipts of one line each."""
    given = [*doubled, *(f"B{i},1" for i in range(18))]
    client.csv("lines.csv", "t,net,day,who\n" + "".join(f"{line},2017-07-01,7\n" for line in given))
    finding = only(client.load(FLAT, "period: 2017-07-01/2017-07-01\n"), "duplicate_lines")
    assert (finding.severity, finding.rows, finding.of_rows) == (severity, rows, len(given))


def test_every_rule_is_in_the_table_of_the_docs_and_no_other() -> None:
    """Rules as the reports' words have them, for a finding without words fails."""
    told = re.findall(r'^msgid "finding\.(\w+)(?:\.ok)?"$', (CORE / "present/locale/en.po").read_text("utf-8"), re.M)
    told = [rule for rule in told if not rule.startswith("read_")]
    assert sorted(RULES) == sorted({*told, "unique_key"})
    assert len(RULES) == 32


def test_reading_is_never_serious() -> None:
    """A note of a reader that is red would be missing in that table."""
    readers = [p for p in (CORE / "intake").glob("*.py") if "Note(" in p.read_text("utf-8")]
    assert len(readers) > 10
    assert [p.name for p in readers if '"red"' in p.read_text("utf-8")] == []
