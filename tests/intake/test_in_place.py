"""PostgreSQL computes in place: the same tables, findings and refusals as from a copy, and no row leaves the server."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from intake import postgres_server
from intake.shop_client import found
from kpibook.errors import DataError, ParamsError
from kpibook.intake import database_errors, in_place, server
from kpibook.intake.database_session import close
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intake.postgres_server import Server
    from intake.shop_client import Client
    from kpibook.intake import Intake

PASSWORD = "p@ss:w/rd+ü%41 &"  # noqa: S105  every sign that means something in a URL
COPY = "let a view of the database compute it and name its column, or write extract: true"
LINES = """
    order_lines:
      from: lines
      columns:
        transaction_id: ticket
        customer_id: client
        ts: sold
        product_id: article
        quantity: pieces
        net_amount: net
        gross_amount: total
    """


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """Rows that have something wrong with them in every way that a rule looks for."""
    with postgres_server.running() as running:
        running.sql(
            "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC",
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
            f"CREATE ROLE bare LOGIN PASSWORD '{PASSWORD}'",
            "GRANT TEMPORARY ON DATABASE postgres TO reader",
            "CREATE TYPE kind AS ENUM ('Store', 'WEB')",
            "CREATE TABLE lines (ticket int, client text, sold timestamptz, article uuid, pieces smallint, "
            "net numeric(12, 2), total numeric, way kind, shop text, till float8, note text, scale real)",
            "INSERT INTO lines SELECT n / 2, CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN ' ana' WHEN 2 THEN '007' "
            "WHEN 3 THEN '7' WHEN 4 THEN 'unknown' ELSE 'c' || n % 5 END, timestamptz '2017-07-01 22:30+00' + n * "
            "interval '31 hours', md5(CAST(n % 9 AS text))::uuid, n % 4 - 1, n * 1.25 - 20, n * 1.2600001 - 20, "
            "CASE WHEN n % 3 = 0 THEN kind 'Store' ELSE kind 'WEB' END, 'Ñ' || n % 3, n / 8.0, "
            "CASE WHEN n % 5 = 0 THEN 'n/a' ELSE 'é' END, n / 3.0 FROM generate_series(1, 90) AS n",
            "INSERT INTO lines SELECT * FROM lines WHERE ticket = 3",
            "CREATE TABLE cards (card text, client text, since timestamp, until timestamp)",
            "INSERT INTO cards VALUES ('k1', 'c1', '2017-07-02', NULL), ('k2', 'c1', '2017-09-01', NULL), "
            "('k3', 'c0', '2017-07-02', '2017-08-01'), ('k3', 'c0', '2017-07-03', NULL), ('k4', 'zoe', NULL, NULL)",
            "CREATE TABLE points (entry int, card text, at timestamp, amount int)",
            "INSERT INTO points VALUES (1, 'k1', '2017-07-03', 10), (2, 'k1', '2017-07-04', -15), "
            "(3, 'k2', '2017-07-04', 5), (4, 'k9', '1969-07-04', 5)",
            "CREATE TABLE answers (id int, q text, score numeric(4, 1), at date)",
            "INSERT INTO answers VALUES (1, 'nps', 9, '2017-07-03'), (2, 'NPS', 9.5, '2017-07-03'), "
            "(3, 'nps', 11, '2017-07-04'), (4, 'CSAT', 3, '2017-07-04')",
            "CREATE TABLE books (first date, last date, sales numeric(10, 2))",
            "INSERT INTO books VALUES ('2017-07-03', '2017-07-31', 100), ('2017-08-01', '2017-08-31', 5000)",
            "CREATE TABLE mails (campaign text, person text, arm text)",
            "INSERT INTO mails VALUES ('a', 'c1', 'treatment'), ('a', 'c2', 'control'), ('b', 'c1', 'treatment')",
            "CREATE TABLE shops (shop text, town text)",
            "INSERT INTO shops VALUES ('Ñ0', 'Roma'), ('Ñ1', 'Ávila')",
            "CREATE TABLE hidden AS SELECT * FROM lines",
            "CREATE TABLE order_lines AS SELECT * FROM lines LIMIT 1",
            "CREATE SEQUENCE written",
            "CREATE VIEW writes AS SELECT *, nextval('written') AS n FROM lines",
            "CREATE VIEW slow AS SELECT * FROM lines WHERE pg_sleep(5)::text = ''",
            "CREATE TABLE large AS SELECT *, 1e15 AS money, 'NaN'::numeric AS nan FROM lines",
            "GRANT SELECT ON lines, cards, points, answers, books, mails, shops, order_lines, writes, slow, large "
            "TO reader, bare",
            "GRANT USAGE ON SEQUENCE written TO reader",
        )
        yield running


@pytest.fixture
def head(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DB_USER", "reader")
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    return f"source: postgres://${{DB_USER}}:${{DB_PASSWORD}}@127.0.0.1:{postgres.port}/postgres\nextract: false"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Sessions that a test began; they are ended after it."""
    begun: list[Any] = []
    plain = in_place.database.opened

    def heard(*given: Any, **how: Any) -> Any:
        begun.append(plain(*given, **how))
        return begun[-1]

    monkeypatch.setattr(in_place.database, "opened", heard)
    yield begun
    for backend in begun:
        close(backend)


def rows(loaded: Intake) -> dict[str, list[tuple]]:
    """Every canonical table, whatever holds it."""
    read = loaded.con.con.execute
    return {name: sorted(map(repr, read(f'SELECT * FROM "{name}"').fetchall())) for name in TABLES}


def twice(client: Client, tables: str, head: str) -> tuple[Intake, Intake]:
    """From a copy and in place; both hold the same and say the same."""
    copied, here = client.load(tables, head.replace("extract: false", "extract: true")), client.load(tables, head)
    assert here.con.name == "postgres"
    assert rows(here) == rows(copied)
    assert here.findings == copied.findings
    assert here.reconciled == copied.reconciled
    for name, facts in here.facts.items():
        told = ("rows", "supplied", "assumed", "date_min", "date_max", "files")
        assert [getattr(facts, t) for t in told] == [getattr(copied.facts[name], t) for t in told]
    assert here.fingerprints.keys() == copied.fingerprints.keys()
    return copied, here


def test_lines_with_their_header(client: Client, head: str, opened: list) -> None:
    """92 lines, two of them doubled: 1.25 * 4095 - 90 * 20 - 23.75. The first is of 05:30 UTC, 07:30 in Rome.

    ``unknown`` is every seventh; net and gross differ by n cents, one of which is allowed.
    """
    own = "gross_amount: total\n        channel: way\n        store_id: shop\n        line_id: = row_id"
    tables = LINES.replace("gross_amount: total", own)
    _, here = twice(client, tables, head)
    read = opened[-1].con.execute
    assert read("SELECT count(*), sum(net_amount) FROM order_lines").fetchone() == (92, Decimal("3295.0000"))
    assert read("SELECT min(ts)::text, count(*) FROM transactions").fetchone() == ("2017-07-03 07:30:00", 46)
    assert read("SELECT DISTINCT channel FROM transactions ORDER BY 1").fetchall() == [("store",), ("web",)]
    assert [f.rows for f in found(here, "duplicate_lines")] == [2]
    assert [f.details["words"] for f in found(here, "read_nobody")] == ["'unknown' (13)"]
    assert len(found(here, "ids_alike")) == 1
    assert [(f.rows, len(f.examples)) for f in found(here, "amounts_differ")] == [(91, 5)]


def test_several_tables_with_every_rule(client: Client, head: str, opened: list) -> None:
    """The receipts begin on the 12th: July is no span to compare with the accounts, August is."""
    tables = """
        transactions:
          from: lines
          where: ticket > 3
          one_row_per: [ticket]
          columns: {transaction_id: ticket, customer_id: = min(client), ts: = min(sold), status: = 'completed'}
        order_lines:
          from: lines
          where: ticket > 4 and till <> 1
          join: {shops: shop}
          columns:
            transaction_id: ticket
            net_amount: = case when town = 'Roma' then net else net * 2 end
            quantity: pieces
            product_id: = coalesce(town, 'x') || '-' || shop
        memberships:
          from: cards
          duplicates: first
          columns: {member_id: card, customer_id: client, enrolled_at: since, closed_at: until}
        points_ledger:
          from: points
          columns: {entry_id: entry, member_id: card, ts: at, points: amount}
        survey_responses:
          from: answers
          columns:
            {response_id: id, question_code: q, score: score, ts: at, scale_min: "= 0", scale_max: "= 10"}
        company_financials:
          from: books
          columns: {period_start: first, period_end: last, net_revenue: sales}
        campaign_targets:
          from: mails
          columns: {campaign_id: campaign, customer_id: person, arm: arm}
        """
    _, here = twice(client, tables, f"{head}\ncard_use: every_purchase")
    assert [f.rows for f in found(here, "read_duplicates_first")] == [1]
    assert [f.rows for f in found(here, "read_outside_scale")] == [2]
    assert [f.rows for f in found(here, "points_below_zero")] == [1]
    assert [f.rows for f in found(here, "no_controls")] == [1]
    assert [(span.accounts, span.agrees) for span in here.reconciled] == [(5000.0, False)]


def test_targets_and_costs_of_params(client: Client, head: str, opened: list) -> None:
    own = (
        "targets: [{kpi: net_sales, value: 10, comparator: '>=', set_at: 2017-01-01}]\n"
        "costs: [{cost_type: operations, amount: 5, programme_id: p, is_in_transactions: false}]"
    )
    twice(client, LINES, f"{head}\n{own}")
    assert opened[-1].con.execute("SELECT kpi_id, target_value FROM targets").fetchall() == [("net_sales", 10.0)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("net * 2 + pieces", Decimal("-37.5000")),
        ("net / 4", Decimal("-4.6875")),
        ("net / nullif(pieces, 0)", None),
        ("round(net / 1, 0)", "refused"),
        ("round(net, 1)", Decimal("-18.8000")),
        ("floor(net)", Decimal("-19.0000")),
        ("abs(net) + sign(net)", Decimal("17.7500")),
        ("greatest(net, pieces)", Decimal("0.0000")),
        ("cast(pieces as decimal) * 1.5", Decimal("0.0000")),
        ("cast(sold as date) - cast('2017-07-01' as date)", "refused"),
        ("case when lower(shop) = 'ñ1' then year(sold) + month(sold) * 100 + hour(sold) end", Decimal("2722.0000")),
        ("till * 0.0012", Decimal("0.0001")),
        ("cast(till * 0.0012 as decimal(18, 4)) * 2", "refused"),
        ("till * -0.0004", Decimal("-0.0001")),
        ("length(shop || ' ' || note)", Decimal("4.0000")),
        ("case when sold between '2017-07-03' and '2017-07-03 12:00' then 1 else 0 end", Decimal("1.0000")),
        ("case when left(replace(shop, 'Ñ', 'NN'), 2) in ('NN') and note is not null then 3 end", Decimal("3.0000")),
        ("case when shop > 'Z' then 1 else 0 end", Decimal("1.0000")),
    ],
)
def test_an_expression_is_worth_the_same(
    client: Client, head: str, opened: list, expression: str, value: Decimal | str | None
) -> None:
    """Of the row n = 1: -18.75, no piece, 05:30 UTC on the 3rd of July, shop Ñ1; Ñ comes after Z by its bytes.

    Its till is 0.125: 0.00015 lies below one and a half when it is inexact, 0.00005 on the half.
    """
    tables = LINES.replace("net_amount: net", f'net_amount: "= {expression}"').replace(
        "from: lines", "from: lines\n      where: net = -18.75"
    )
    if value == "refused":
        assert "in the database itself" in client.refused(tables, head)
        return
    twice(client, tables, head)
    assert opened[-1].con.execute("SELECT net_amount FROM order_lines").fetchall() == [(value,)]


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("upper(shop)", "upper() is not computed"),
        ("regexp_replace(shop, 'a', 'b')", "regexp_replace() is not computed"),
        ("net / pieces", "a division by what may be 0 is not computed"),
        ("round(till, 1)", "rounding an inexact number is not computed"),
        ("cast(shop as decimal(18, 4))", "a cast from text to a number is not computed"),
        ("cast(till as varchar)", "a cast from an inexact number to text is not computed"),
        ("shop || till", "a text put together with an inexact number or a zoned time is not made"),
        (
            "case when sold > '01/07/2017' then 1 end",
            "the date '01/07/2017' is not written as 2017-07-01, and is not read",
        ),
        ("scale", "a number of single precision is not read"),
        ("left(shop, pieces)", "left() without a number is not computed"),
        ("date_trunc('month', sold)", "date_trunc() is not computed"),
        ("shop like 'a%'", "'like' is not computed"),
    ],
)
def test_what_might_be_worth_something_else_is_refused(client: Client, head: str, expression: str, what: str) -> None:
    tables = LINES.replace("product_id: article", f'product_id: "= {expression}"')
    assert client.refused(tables, head) == (
        f"shop.yaml:17: tables.order_lines.columns.product_id: {what} in the database itself · {COPY}"
    )


def test_a_text_is_no_number_and_no_date_in_place(client: Client, head: str) -> None:
    tables = LINES.replace("net_amount: net", "net_amount: note").replace("ts: sold", "ts: = lower(shop)")
    remedy = "give the column such a type, in a view, or write extract: true"
    assert client.refused(tables, head).splitlines() == [
        (
            "lines: order_lines.ts: a text is not read as a date and time such as 2017-07-01 09:30:00 in the database "
            f"itself · {remedy}"
        ),
        f"lines: order_lines.net_amount (note): a text is not read as a number in the database itself · {remedy}",
    ]


def test_values_that_do_not_fit_are_found_by_their_row(client: Client, head: str) -> None:
    tables = LINES.replace("from: lines", "from: large")
    assert client.refused(tables.replace("net_amount: net", "net_amount: money"), head) == (
        "large: order_lines.net_amount (money): row 1: '1000000000000000' is not a number, 92 rows in all · "
        "correct the file, or map it with an expression"
    )
    assert client.refused(tables.replace("net_amount: net", "net_amount: nan"), head) == (
        "large: order_lines.net_amount (nan): row 1: 'NaN' is not a number, 92 rows in all · "
        "correct the file, or map it with an expression"
    )
    assert client.refused(tables.replace("net_amount: net", "net_amount: = money * 1e300"), head) == (
        "shop.yaml:19: tables.order_lines.columns.net_amount: "
        f"the expression gives another type in the database than it gives in DuckDB · {COPY}"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("linez", "there is no table 'linez' in the database · did you mean 'lines'?"),
        ("hidden", "the user has no right to read this table · let its owner grant SELECT on it"),
        ("writes", "the table cannot be read (ReadOnlySqlTransaction) · check its name and type"),
        (
            "slow",
            (
                "the server did not answer within limits.statement_seconds = 1 · "
                "raise it, or let a table take the place of a slow view"
            ),
        ),
    ],
)
def test_a_table_that_cannot_be_read(client: Client, head: str, table: str, message: str) -> None:
    tables = LINES.replace("from: lines", f"from: {table}")
    assert (
        client.refused(tables, f"{head}\nlimits: {{statement_seconds: 1}}")
        == f"shop.yaml:13: tables.order_lines.from: {message}"
    )


def test_a_table_called_as_one_of_ours(client: Client, head: str, opened: list) -> None:
    _, here = twice(client, LINES.replace("from: lines", "from: order_lines"), head)
    assert here.facts["order_lines"].rows == 1


def test_a_wrong_password(client: Client, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "another")
    assert client.refused(LINES, head) == (
        "shop.yaml:8: source: the server answers and refuses the login · check DB_USER and DB_PASSWORD: user, "
        "password, name of the database, and who may connect"
    )


def test_a_user_who_may_make_no_temporary_table(client: Client, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_USER", "bare")
    assert client.refused(LINES, head) == (
        "shop.yaml:8: source: the user may make no temporary table in the database · "
        "let its owner grant TEMPORARY on it, or write extract: true"
    )


def test_a_database_without_a_collation_for_all_letters(
    client: Client, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_FOLDING", ("none",))
    assert client.refused(LINES, head) == (
        "shop.yaml:8: source: the database does not keep its texts as UTF-8 with a collation for all letters · "
        "write extract: true"
    )


def test_a_connection_that_drops_in_the_middle(
    client: Client, head: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = server.Server.show

    def cut(self: server.Server, name: str, source: str) -> object:
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kpibook'")
        return plain(self, name, source)

    monkeypatch.setattr(server.Server, "show", cut)
    assert client.refused(LINES, head) == (
        "shop.yaml:8: source: the connection was lost while transactions was made · "
        "try again; if it happens again, ask who runs the server"
    )


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            "57014",
            (
                "the server did not answer within limits.statement_seconds = 9, while it slept · "
                "raise it, or write extract: true"
            ),
        ),
        ("53100", "the server has no room left, while it slept · ask who runs it, or write extract: true"),
        (
            "22003",
            (
                "a value does not fit the mapping, while it slept · "
                "write extract: true once: it names the row and the value"
            ),
        ),
        ("42883", "the server refuses a statement, while it slept (SQLSTATE 42883) · write extract: true"),
        ("", "the server refuses a statement, while it slept (SQLSTATE none) · write extract: true"),
    ],
)
def test_what_a_server_may_answer(state: str, message: str) -> None:
    error = RuntimeError("password=secret")
    error.sqlstate = state  # type: ignore[attr-defined]
    params = SimpleNamespace(limits=SimpleNamespace(statement_seconds=9))
    told = database_errors.unanswered(error, "p.yaml:9: source", params, "while it slept")  # type: ignore[arg-type]
    assert str(told) == f"p.yaml:9: source: {message}"


def test_the_session_writes_nothing_and_sees_one_moment(client: Client, head: str, opened: list) -> None:
    client.load(LINES, head)
    (backend,) = opened
    assert backend.con.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
    assert backend.con.execute("SHOW statement_timeout").fetchone() == ("5min",)
    left = "SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname LIKE '__source%'"
    assert backend.con.execute(left).fetchone() == (0,)


def test_no_row_leaves_the_server(client: Client, head: str, opened: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest answer is that of the catalogue, on the 12 columns of the table: no row of 92 lines."""
    lengths: list[int] = []
    plain = psycopg.Cursor.fetchall

    def counted(self: psycopg.Cursor) -> list:
        answer = plain(self)
        lengths.append(len(answer))
        return answer

    monkeypatch.setattr(psycopg.Cursor, "fetchall", counted)
    client.load(LINES, head)
    assert max(lengths) == 12


def test_only_postgresql_computes_in_place_and_it_has_to_be_said(client: Client) -> None:
    copied = "'extract: true': its tables are copied into DuckDB"
    said = {}
    for source in ("mysql://host/shop\nextract: false", "mysql://host/shop", "postgres://host/shop"):
        with pytest.raises(ParamsError) as caught:
            client.params(LINES, f"source: {source}")
        said[source] = str(caught.value).replace(f"{client.folder}/", "").splitlines()[0]
    assert list(said.values()) == [
        f"shop.yaml:9: extract: only PostgreSQL computes in the database itself · write {copied}",
        f"shop.yaml:8: source: only PostgreSQL computes in the database itself · write {copied}",
        (
            f"shop.yaml:8: source: where the figures are computed is not said · write {copied}; "
            "or 'extract: false': PostgreSQL computes"
        ),
    ]


def test_an_error_ends_the_session(client: Client, head: str, opened: list) -> None:
    with pytest.raises(DataError):
        client.load(LINES.replace("from: lines", "from: hidden"), head)
    assert opened[0].con.closed
