"""What PostgreSQL does otherwise, on a real server: numbers, text, rights (traps E1, E2, E3, E5, E8)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import ibis
import psycopg
import pyarrow as pa
import pytest

from intake import postgres_server
from intake.postgres_server import ADMIN, Server
from kpibook.engine import moments
from kpibook.engine.backend import UnansweredError, opened
from kpibook.engine.moments import Moments
from kpibook.engine.on_postgres import Postgres
from kpibook.engine.pipeline import Task, run
from kpibook.errors import LostError

T = ibis.table({"customer_id": "string", "a": "int64", "b": "int64", "ok": "boolean"}, name="t")
ROWS = pa.Table.from_pylist(
    [
        {"customer_id": "z", "a": 1, "b": 2, "ok": True},
        {"customer_id": "Y", "a": 1, "b": 0, "ok": None},
        {"customer_id": "x", "a": 3, "b": 4, "ok": False},
    ],
    schema=T.schema().to_pyarrow(),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With ``t`` for everybody, and a user who may make no temporary table."""
    with postgres_server.running() as found:
        found.sql(
            "CREATE TABLE t (customer_id text, a bigint, b bigint, ok boolean)",
            "INSERT INTO t VALUES ('z', 1, 2, true), ('Y', 1, 0, NULL), ('x', 3, 4, false)",
            "CREATE SEQUENCE written",
            "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC",
            f"CREATE ROLE reader LOGIN PASSWORD '{ADMIN}'",
            "GRANT SELECT ON t TO reader",
        )
        yield found


def session(server: Server, user: str) -> Iterator[Postgres]:
    backend = ibis.postgres.connect(host="127.0.0.1", port=server.port, user=user, password=ADMIN, database="postgres")
    yield Postgres(backend)
    backend.disconnect()


@pytest.fixture
def database(server: Server) -> Iterator[Postgres]:
    yield from session(server, "admin")


@pytest.fixture
def reader(server: Server) -> Iterator[Postgres]:
    yield from session(server, "reader")


def test_whole_numbers_divide_into_parts_and_nothing_by_zero(database: Postgres) -> None:
    """E1, E2: 1/2 = 0.5, 1/0 is null and no error, 3/4 = 0.75; between sums 5/6."""
    rows = database.fetch(T.select("customer_id", r=T.a / T.b).order_by("customer_id")).to_pylist()
    sums = database.fetch(T.agg(good=T.a.sum() / T.b.sum(), none=T.a.sum() / T.b.sum(where=T.b > 9).fill_null(0)))

    assert [row["r"] for row in rows] == [None, 0.75, 0.5]
    assert sums.to_pylist() == [{"good": 5 / 6, "none": None}]


def test_a_null_condition_counts_as_false(database: Postgres) -> None:
    """E3: of true, null and false one row counts."""
    assert database.fetch(T.agg(n=T.count(where=T.ok), s=T.a.sum(where=T.ok))).to_pylist() == [{"n": 1, "s": 1}]


def test_money_stays_exact(database: Postgres) -> None:
    """E5: ten thousand times 0.1 is a thousand, in the type of money."""
    database.load("cents", pa.table({"x": pa.array([Decimal("0.1000")] * 10, pa.decimal128(18, 4))}))
    cents = ibis.table({"x": "decimal(18, 4)"}, name="cents")
    many = ibis.table({"n": "int64"}, name="many")
    database.load("many", pa.table({"n": pa.array(range(1000), pa.int64())}))

    found = database.fetch(cents.cross_join(many).agg(sum=cents.x.sum()))

    assert found.schema.field("sum").type == pa.decimal128(38, 4)
    assert found.to_pylist() == [{"sum": Decimal("1000.0000")}]


def test_ties_are_broken_by_the_customer_whose_text_goes_by_its_bytes(database: Postgres) -> None:
    """E8: two rows share a = 1; capitals come before small letters whatever the order of the database."""
    database.create("mine", database.sql(T), T)
    mine = T.op().copy(name="mine").to_expr()
    numbered = mine.mutate(r=ibis.row_number().over(order_by=mine.a)).select("customer_id", "r")
    orders = 'SELECT pg_collation_for(customer_id) AS own, pg_collation_for(a::text COLLATE "C") AS made FROM mine'

    assert {row["customer_id"]: row["r"] for row in database.fetch(numbered).to_pylist()} == {"Y": 0, "z": 1, "x": 2}
    assert database.rows(f"{orders} LIMIT 1", Moments(mine, (), {})).to_pylist() == [{"own": '"C"', "made": '"C"'}]
    assert database.sql(mine.select(x=mine.a.cast("string"))) == (
        'SELECT CAST("t0"."a" AS VARCHAR) COLLATE "C" AS "x" FROM "mine" AS "t0"'
    )


def test_truth_values_are_numbers(database: Postgres) -> None:
    """True is 1, unknown stays unknown, false is 0; PostgreSQL itself makes short integers of them only."""
    found = database.fetch(
        T.select("customer_id", n=T.ok.cast("int64"), x=T.ok.cast("float64")).order_by("customer_id")
    )

    assert found.to_pylist() == [
        {"customer_id": "Y", "n": None, "x": None},
        {"customer_id": "x", "n": 0, "x": 0.0},
        {"customer_id": "z", "n": 1, "x": 1.0},
    ]


def test_several_semi_joins_are_all_there(database: Postgres) -> None:
    """Who has a row with b > 1 and a row with a > 1, and none with b > 9: only x, with 4 and 3."""
    many, large, none = (T.filter(c).view() for c in (T.b > 1, T.a > 1, T.b > 9))
    found = T.semi_join(many, "customer_id").semi_join(large, "customer_id").anti_join(none, "customer_id")

    assert database.fetch(found.select("customer_id")).to_pylist() == [{"customer_id": "x"}]


def test_a_tiny_power_is_zero_and_no_underflow(database: Postgres) -> None:
    assert database.fetch(T.agg(x=(T.a.max() * -1000).exp(), y=(T.a.max() - 3).exp())).to_pylist() == [
        {"x": 0.0, "y": 1.0}
    ]


def test_any_of_equal_values(database: Postgres) -> None:
    """Of truth values too, which have no least one here; where all are unknown, unknown."""
    found = T.group_by("customer_id").agg(ok=T.ok.arbitrary(), a=T.a.arbitrary()).order_by("customer_id")

    assert [(row["ok"], row["a"]) for row in database.fetch(found).to_pylist()] == [(None, 1), (False, 3), (True, 1)]


def test_moments(database: Postgres) -> None:
    """Of a: 1 and 1 and 3: the sum 5, squares 1 + 1 + 9 = 11, and the largest third of three is one row of 3."""
    inner = T.group_by("customer_id").agg(a=T.a.sum(), n=T.count()).mutate(s=ibis.literal("s"))
    columns = {"t": moments.total("a"), "aa": moments.product("a", "a"), "persons": moments.positive("n")}
    ranks = {"place": moments.rank("a", "n", ["s"])}
    top = {"top": moments.largest("a", "n", "place", "persons", 0.3)}

    found = database.fetch(Moments(inner, ["s"], columns, ranks, top)).to_pylist()

    assert found == [{"s": "s", "t": 5.0, "aa": 11.0, "persons": 3, "top": 3.0}]


def test_one_that_fails_costs_no_other_what_it_made(database: Postgres) -> None:
    database.create("doubled", database.sql(T.mutate(a=T.a * 2)), T.mutate(a=T.a * 2))
    doubled = T.op().copy(name="doubled").to_expr()

    with pytest.raises(psycopg.errors.UndefinedTable):
        database.fetch(T.op().copy(name="nowhere").to_expr())
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        database.create("numbers", database.sql(T.select(x=T.customer_id.cast("int64"))), T.select(x=T.a))

    assert database.fetch(doubled.agg(a=doubled.a.sum())).to_pylist() == [{"a": 10}]


def test_nothing_is_written_but_temporary_tables(database: Postgres, server: Server) -> None:
    """Neither by what is read nor by what fills a table, within a transaction or without."""
    for own in (True, False):
        database.ibis.con.autocommit = own
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            database.rows("SELECT nextval('written') AS a", T.select("a"))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            database.create("numbers", "SELECT nextval('written') AS a", T.select("a"))
    database.ibis.con.rollback()


def test_a_session_that_may_make_no_table_has_the_same_figures(reader: Postgres) -> None:
    """Shared tables become steps of each statement: also one that rests on another, and one from memory."""
    doubled = T.mutate(a=T.a * 2)
    reader.load("days", pa.table({"n": pa.array([10, 20], pa.int64()), "s": ["o'ne", None]}))
    reader.create("doubled", reader.sql(doubled), doubled)
    mine, days = T.op().copy(name="doubled").to_expr(), ibis.table({"n": "int64", "s": "string"}, name="days")
    both = mine.agg(a=mine.a.sum()).cross_join(days)
    reader.create("both", reader.sql(both), both)
    last = ibis.table(both.schema(), name="both")

    assert reader.fetch(last.order_by("n")).to_pylist() == [
        {"a": 10, "n": 10, "s": "o'ne"},
        {"a": 10, "n": 20, "s": None},
    ]
    assert reader.fetch(Moments(last, ["n"], {"t": moments.total("a")})).to_pylist() == [
        {"n": 10, "t": 10.0},
        {"n": 20, "t": 10.0},
    ]
    with pytest.raises(psycopg.errors.UndefinedTable):
        reader.create("wrong", 'SELECT * FROM "nowhere"', T)


def test_a_statement_over_time_costs_no_other(database: Postgres) -> None:
    """Its error is in our words, for it is what the KPI says of itself."""
    database.ibis.con.execute("SET statement_timeout = 50")

    with pytest.raises(UnansweredError) as caught:
        database.rows("SELECT pg_sleep(9) AS a", T.select("a"))

    assert str(caught.value) == (
        "the server did not answer within limits.statement_seconds · raise it, or write extract: true"
    )
    assert database.fetch(T.agg(n=T.count())).to_pylist() == [{"n": 3}]


def test_a_lost_connection_ends_the_run_whatever_the_work_makes_of_errors(database: Postgres, server: Server) -> None:
    """No KPI is told as failed for it."""

    def patient() -> Iterator[object]:
        try:
            yield T.agg(n=T.count())
        except Exception:  # noqa: BLE001  what a KPI does with an error of its own
            return "failed"
        return "done"

    own = database.ibis.con.info.backend_pid
    server.sql(f"SELECT pg_terminate_backend({own})")

    with pytest.raises(LostError) as caught:
        run(database, [Task("patient", patient())])

    assert str(caught.value) == (
        "database: the connection was lost while the figures were computed · "
        "try again; if it happens again, ask who runs the server"
    )


def test_an_engine_without_a_profile_is_refused() -> None:
    with pytest.raises(ValueError) as refused:
        opened(ibis.sqlite.connect())
    assert str(refused.value) == "no profile for sqlite · extract the tables into DuckDB: extract: true"
