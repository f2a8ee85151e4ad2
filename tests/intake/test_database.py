"""A client's tables on a real PostgreSQL server, and in database files."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from intake import postgres_server
from intake.shop_client import fetch
from kpibook.intake import database
from kpibook.intake.database_session import close, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from intake.postgres_server import Server
    from intake.shop_client import Client
    from kpibook.intake import Intake

PASSWORD = "p@ss:w/rd+ü%41 &"  # noqa: S105  every sign that means something in a URL
AT = "shop.yaml:12: tables.order_lines.from"
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
ONE_LINE = (
    "SELECT 1 AS ticket, 'ana' AS client, '2017-07-01 10:00:00' AS sold, 'x' AS article, 2 AS pieces, 1.5 AS net, "
    "2 AS total"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server.running() as found:
        found.sql(
            f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
            "CREATE TYPE kind AS ENUM ('store', 'web')",
            "CREATE TABLE lines (ticket int, client text, sold timestamptz, article uuid, pieces smallint, "
            "net numeric(12, 2), total numeric, way kind, email text)",
            "INSERT INTO lines VALUES "
            "(2, 'ana', '2017-07-02 09:00+02', '11111111-1111-1111-1111-111111111111', 1, 2.50, 3.0000000000001, 'web',"
            " 'a@b'), "
            "(1, 'ben', '2017-07-01 12:30+00', '22222222-2222-2222-2222-222222222222', 2, 7.25, 8, 'store', null), "
            "(1, 'ben', '2017-07-01 12:30+00', '33333333-3333-3333-3333-333333333333', 3, 0.25, 1, 'store', null)",
            "GRANT SELECT (ticket, client, sold, article, pieces, net, total, way) ON lines TO reader",
            "CREATE SCHEMA archive",
            "CREATE TABLE archive.lines AS SELECT * FROM lines",
            "GRANT USAGE ON SCHEMA archive TO reader",
            "GRANT SELECT ON archive.lines TO reader",
            "CREATE TABLE hidden AS SELECT * FROM lines",
            "CREATE TABLE names AS SELECT 1 AS ticket, 'Roma' AS shop",
            "CREATE TABLE none AS SELECT * FROM lines WHERE false",
            "CREATE TABLE odd AS SELECT ticket, client, sold, article, pieces, 'NaN'::numeric(12, 2) AS net, total "
            "FROM lines",
            'CREATE TABLE doubled AS SELECT *, client AS "Client" FROM lines',
            "CREATE VIEW slow AS SELECT * FROM lines WHERE pg_sleep(5)::text = ''",
            "CREATE VIEW long AS SELECT n AS ticket, 'ana' AS client, timestamptz '2017-07-01 12:00+00' AS sold, "
            "'x' AS article, 1 AS pieces, 1.00 AS net, 1 AS total "
            "FROM generate_series(1, 100000) AS n",
            "GRANT SELECT ON names, none, odd, doubled, slow, long TO reader",
        )
        yield found


@pytest.fixture
def head(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """What makes the server the client's source."""
    monkeypatch.setenv("DB_USER", "reader")
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    return f"source: postgres://${{DB_USER}}:${{DB_PASSWORD}}@127.0.0.1:{server.port}/postgres\nextract: true"


def test_every_type_arrives_with_its_value(client: Client, head: str) -> None:
    """12:30 UTC is 14:30 in Rome; 09:00+02 is 09:00 there; a numeric without precision keeps what money holds."""
    loaded = client.load(LINES.replace("net\n", "net\n        channel: = lower(way)\n"), head)
    assert fetch(loaded, "SELECT transaction_id, product_id, quantity, net_amount, gross_amount FROM order_lines") == [
        ("1", "22222222-2222-2222-2222-222222222222", Decimal(2), Decimal("7.25"), Decimal(8)),
        ("1", "33333333-3333-3333-3333-333333333333", Decimal(3), Decimal("0.25"), Decimal(1)),
        ("2", "11111111-1111-1111-1111-111111111111", Decimal(1), Decimal("2.5"), Decimal(3)),
    ]
    assert fetch(loaded, "SELECT transaction_id, customer_id, ts, channel FROM transactions") == [
        ("1", "ben", datetime(2017, 7, 1, 14, 30), "store"),  # noqa: DTZ001  the shop's clock
        ("2", "ana", datetime(2017, 7, 2, 9, 0), "web"),  # noqa: DTZ001
    ]


def test_the_copies_are_gone_when_the_canonical_tables_are_there(client: Client, head: str) -> None:
    loaded = client.load(LINES, head)
    assert fetch(loaded, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'source'") == [(0,)]


def test_columns_that_no_mapping_names_stay_on_the_server(client: Client, head: str) -> None:
    """The reader has no right to read email: reading it would be refused."""
    assert client.load(LINES, head).facts["order_lines"].rows == 3
    assert client.refused(LINES.replace("client\n", "emial\n"), head) == (
        "shop.yaml:15: tables.order_lines.columns.customer_id: lines has no column 'emial' · did you mean 'email'?"
    )


def test_another_schema_and_a_joined_table(client: Client, head: str) -> None:
    tables = LINES.replace("from: lines", "from: archive.lines\n      join: {names: ticket}").replace(
        "net\n", "net\n        store_id: shop\n"
    )
    loaded = client.load(tables, head)
    assert sorted(loaded.fingerprints) == ["archive.lines", "names"]
    assert fetch(loaded, "SELECT transaction_id, store_id FROM transactions") == [("1", "Roma"), ("2", None)]


def test_small_batches_give_the_same(client: Client, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = client.load(LINES, head)
    sizes: list[int] = []
    plain = database.batches

    def heard(backend: object, table: object, size: int) -> Iterator:
        for batch in plain(backend, table, size):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(database, "BATCH", 2)
    monkeypatch.setattr(database, "batches", heard)
    batched = client.load(LINES, head)
    assert sizes == [2, 1]
    assert _lines(batched) == _lines(whole)
    assert batched.fingerprints == whole.fingerprints


def test_the_order_of_the_rows_does_not_matter_and_a_value_does(client: Client, head: str, server: Server) -> None:
    before = client.load(LINES, head)
    server.sql("UPDATE lines SET email = 'moved to the end' WHERE ticket = 1")
    moved = client.load(LINES, head)
    assert _lines(moved) == _lines(before)
    assert moved.fingerprints == before.fingerprints
    server.sql("UPDATE lines SET net = 7.26 WHERE net = 7.25")
    changed = client.load(LINES, head)
    server.sql("UPDATE lines SET net = 7.25 WHERE net = 7.26")
    assert changed.fingerprints != before.fingerprints


def test_an_empty_table_is_read_and_refused_as_an_empty_file_is(client: Client, head: str) -> None:
    assert client.refused(LINES.replace("from: lines", "from: none"), head) == (
        "none: order_lines: no rows · check the file, and where: in the mapping"
    )


def test_the_session_reads_only_in_one_snapshot_and_not_for_ever(server: Server) -> None:
    backend = connect(f"postgresql://admin:{postgres_server.ADMIN}@127.0.0.1:{server.port}/postgres", 7)
    assert backend.con.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)
    assert backend.con.execute("SHOW statement_timeout").fetchone() == ("7s",)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        backend.con.execute("DROP TABLE lines")
    close(backend)
    assert backend.con.closed
    close(backend)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("linez", "there is no table 'linez' in the database · did you mean 'lines'?"),
        ("archive.line", "there is no table 'archive.line' in the database · did you mean 'archive.lines'?"),
        ("hidden", "the user has no right to read this table · let its owner grant SELECT on it"),
        ("odd", "a value cannot be carried over, after 0 rows · let a view give the column as text"),
        ("doubled", "two columns are called 'Client', but for capitals · let a view give one of them another name"),
        ('x"; DROP TABLE lines; --', "there is no table 'x\"; DROP TABLE lines; --' in the database · {names}"),
        ("../lines.csv", "there is no table '../lines.csv' in the database · {names}"),
    ],
)
def test_a_table_that_cannot_be_read(client: Client, head: str, table: str, message: str) -> None:
    tables = LINES.replace("from: lines", f"from: '{table}'")
    if table == "doubled":
        tables = tables.replace("net\n", "net\n        channel: Client\n")
    names = "use one of: doubled, lines, long, names, none, odd, slow"
    assert client.refused(tables, head) == f"{AT}: {message.format(names=names)}"


def test_all_that_is_wrong_with_the_tables_is_told_at_once(client: Client, head: str) -> None:
    tables = LINES.replace("from: lines", "from: hidden\n      join: {odd: ticket, slow: ticket}")
    assert client.refused(tables, f"{head}\nlimits: {{statement_seconds: 1}}").splitlines() == [
        (
            "shop.yaml:13: tables.order_lines.from: the user has no right to read this table · "
            "let its owner grant SELECT on it"
        ),
        (
            "shop.yaml:14: tables.order_lines.join.odd: a value cannot be carried over, after 0 rows · "
            "let a view give the column as text"
        ),
        (
            "shop.yaml:14: tables.order_lines.join.slow: the server did not answer within "
            "limits.statement_seconds = 1 · raise it, or let a table take the place of a slow view"
        ),
    ]


def test_a_connection_that_drops_in_the_middle(
    client: Client, head: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session once the first batch has come."""
    monkeypatch.setattr(database, "BATCH", 100)
    plain = database.batches

    def cut(backend: object, table: object, size: int) -> Iterator:
        for batch in plain(backend, table, size):
            yield batch
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kpibook'")

    monkeypatch.setattr(database, "batches", cut)
    assert client.refused(LINES.replace("from: lines", "from: long"), head) == (
        f"{AT}: the connection was lost after 100 rows · try again; if it happens again, ask who runs the server"
    )


def test_a_connection_that_drops_during_a_statement(client: Client, head: str, server: Server) -> None:
    def end() -> None:
        asked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'active'"
        with server.admin() as con:
            while not con.execute(asked).fetchall():
                time.sleep(0.02)

    ending = threading.Thread(target=end)
    ending.start()
    said = client.refused(LINES.replace("from: lines", "from: slow"), head)
    ending.join()
    assert said == (
        f"{AT}: the connection was lost after 0 rows · try again; if it happens again, ask who runs the server"
    )


def _refused_login(names: str) -> str:
    what = "the server answers and refuses the login"
    return f"shop.yaml:8: source: {what} · check {names}: user, password, name of the database, and who may connect"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://${DB_USER}:${WRONG}@127.0.0.1:{port}/postgres", _refused_login("DB_USER and WRONG")),
        ("postgresql://${DB_USER}@127.0.0.1:{port}/postgres", _refused_login("DB_USER")),
        ("postgres://${DB_USER}:${DB_PASSWORD}@127.0.0.1:{port}/nowhere", _refused_login("DB_USER and DB_PASSWORD")),
        (
            "postgres://${DB_USER}:${DB_PASSWORD}@127.0.0.1:1/postgres",
            (
                "shop.yaml:8: source: the database cannot be reached · "
                "check host and port, that the server runs, and that no firewall is between"
            ),
        ),
        (
            "postgres://${DB_USER}:${DB_PASSWORD}@no-such-host.invalid/postgres",
            (
                "shop.yaml:8: source: the database cannot be reached · "
                "check host and port, that the server runs, and that no firewall is between"
            ),
        ),
        (
            "postgres://${DB_USER}:${DB_PASSWORD}@127.0.0.1:99999/postgres",
            "shop.yaml:8: source: the URL cannot be read · write it as scheme://user:password@host:port/database",
        ),
        (
            "postgres://${DB_USER}:${UNSET}@127.0.0.1:{port}/postgres",
            "shop.yaml:8: source: the environment variable UNSET is not set · set UNSET before kpibook starts",
        ),
        (
            "mysql://${DB_USER}:${DB_PASSWORD}@127.0.0.1/shop",
            (
                "shop.yaml:8: source: the driver for mysql is not installed · "
                "install it: pip install 'ibis-framework[mysql]'"
            ),
        ),
        (
            "sqlite:///nowhere/shop.db",
            "shop.yaml:8: source: there is no such database file · write its absolute path after ://",
        ),
        (
            "${URL}",
            "shop.yaml:8: source: a source of the kind 'postgrez:' is not supported · did you mean 'postgres'?",
        ),
    ],
)
def test_a_database_that_cannot_be_opened(
    client: Client, head: str, server: Server, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    monkeypatch.setenv("WRONG", "not-the-password")
    monkeypatch.setenv("URL", "postgrez://me:not-the-password@host/x")
    said = client.refused(LINES, f"source: {url.replace('{port}', str(server.port))}\nextract: true")
    assert said == message


def test_a_whole_url_may_stand_in_one_variable(client: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", f"postgres://admin:{postgres_server.ADMIN}@127.0.0.1:{server.port}/postgres")
    assert client.load(LINES, "source: ${URL}\nextract: true").facts["order_lines"].rows == 3


def test_a_duckdb_file_is_read_and_reads_no_other_file(client: Client, tmp_path: Path) -> None:
    """A view in a file that a client delivers runs with the rights of whoever opens it."""
    (tmp_path / "other.csv").write_text("ticket\n99\n", encoding="utf-8")
    with duckdb.connect(tmp_path / "shop.duckdb") as con:
        con.execute(f"CREATE TABLE lines AS {ONE_LINE}")
        con.execute(f"CREATE VIEW spy AS SELECT * FROM lines, read_csv('{tmp_path}/other.csv') AS other(other)")
    head = f"source: duckdb://{tmp_path}/shop.duckdb\nextract: true"
    loaded = client.load(LINES, head)
    assert fetch(
        loaded, "SELECT customer_id, ts, net_amount FROM order_lines JOIN transactions USING (transaction_id)"
    ) == [
        ("ana", datetime(2017, 7, 1, 10, 0), Decimal("1.5"))  # noqa: DTZ001  the shop's clock
    ]
    assert client.refused(LINES.replace("from: lines", "from: spy"), head) == (
        f"{AT}: the table cannot be read (PermissionException) · check its name and type"
    )


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Ibis's own, and its affair
def test_a_sqlite_file_is_read_and_not_written_to(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as con:
        con.execute(f"CREATE TABLE lines AS {ONE_LINE}")
    con.close()
    loaded = client.load(LINES, f"source: sqlite://{path}\nextract: true")
    assert fetch(loaded, "SELECT net_amount, gross_amount FROM order_lines") == [(Decimal("1.5"), Decimal(2))]
    backend = connect(f"sqlite://{path}", 1)
    with pytest.raises(sqlite3.OperationalError, match="attempt to write a readonly database"):
        backend.raw_sql("DROP TABLE lines")
    close(backend)


def test_a_folder_is_not_copied(client: Client) -> None:
    assert _params_refused(client, "source: data\nextract: true") == (
        "shop.yaml:9: extract: the source is no database · take the key away"
    )


def test_a_folder_whose_name_is_a_database_after_all(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from kpibook.errors import ParamsError

    monkeypatch.setenv("URL", "postgres://me:not-the-password@host/x")
    tables = LINES.replace("from: lines", "from: lines.csv")
    with pytest.raises(ParamsError) as caught:
        client.load(tables, "source: ${URL}")
    assert str(caught.value).replace(f"{client.folder}/", "") == (
        "shop.yaml:8: source: this is a database · write extract: true"
    )


def _params_refused(client: Client, head: str) -> str:
    from kpibook.errors import ParamsError

    with pytest.raises(ParamsError) as caught:
        client.params(LINES.replace("from: lines", "from: lines.csv"), head)
    return str(caught.value).replace(f"{client.folder}/", "")


def _lines(loaded: Intake) -> list[tuple]:
    return fetch(loaded, "SELECT * FROM order_lines")
