"""The rewrites behind every query: division, null conditions, ties (traps E1, E2, E3, E8)."""

import ibis
import pytest

from kpibook.engine.guards import guarded
from kpibook.errors import PluginError

T = ibis.table({"customer_id": "string", "a": "int64", "b": "int64", "ok": "boolean"}, name="t")


@pytest.fixture(scope="module")
def con():
    connection = ibis.duckdb.connect()
    connection.raw_sql("CREATE TABLE t (customer_id VARCHAR, a BIGINT, b BIGINT, ok BOOLEAN)")
    connection.raw_sql("INSERT INTO t VALUES ('z', 1, 2, true), ('y', 1, 0, NULL), ('x', 3, 4, false)")
    return connection


def rows(con, table):
    return con.to_pyarrow(guarded(table)).to_pylist()


def sql(table, dialect):
    return " ".join(str(ibis.to_sql(guarded(table), dialect=dialect)).split())


@pytest.mark.parametrize("dialect", ["postgres", "trino"])
def test_integer_division_is_cast_before_it_divides(dialect):
    """E1: int / int is 0 on PostgreSQL although the expression says otherwise."""
    text = sql(T.select(r=T.a / T.b), dialect)

    assert "AS DOUBLE" in text
    assert "NULLIF(" in text


def test_division_by_zero_is_null(con):
    """E2: 1/2 = 0.5, 1/0 = null, 3/4 = 0.75; also between sums: 5/(2+0+4) and 5/0."""
    by_row = rows(con, T.select("customer_id", r=T.a / T.b).order_by("customer_id"))
    sums = rows(con, T.agg(good=T.a.sum() / T.b.sum(), none=T.a.sum() / T.b.sum(where=T.b > 9).fill_null(0)))

    assert [r["r"] for r in by_row] == [0.75, None, 0.5]
    assert sums == [{"good": pytest.approx(5 / 6), "none": None}]


def test_a_null_condition_counts_as_false(con):
    """E3: of true, null and false one row counts; on Spark the null would make the count null."""
    assert rows(con, T.agg(n=T.count(where=T.ok), s=T.a.sum(where=T.ok))) == [{"n": 1, "s": 1}]
    assert "COALESCE" in sql(T.agg(n=T.count(where=T.ok)), "pyspark").upper()


def test_ties_are_broken_by_the_customer(con):
    """E8: two rows share a = 1; y comes before z whatever the engine."""
    numbered = T.mutate(r=ibis.row_number().over(order_by=T.a)).select("customer_id", "r")

    assert {r["customer_id"]: r["r"] for r in rows(con, numbered)} == {"y": 0, "z": 1, "x": 2}


def test_ntile_gets_the_same_tie_breaker_and_ranks_do_not():
    tiles = sql(T.select(q=ibis.ntile(2).over(order_by=T.a)), "duckdb")
    ranks = sql(T.select(q=ibis.rank().over(order_by=T.a)), "duckdb")

    assert '"customer_id" ASC' in tiles
    assert "customer_id" not in ranks


def test_an_order_that_ends_in_the_customer_is_left_alone():
    text = sql(T.select(r=ibis.row_number().over(order_by=[T.a, T.customer_id])), "duckdb")

    assert text.count('"customer_id"') == 1


def test_guards_twice_are_guards_once():
    table = T.agg(r=T.a.sum(where=T.ok) / T.b.sum())

    assert sql(table, "duckdb") == " ".join(str(ibis.to_sql(guarded(guarded(table)), dialect="duckdb")).split())


def test_whole_number_division_stays_what_it_is(con):
    """7 // 2 is 3, not 3.5."""
    assert rows(con, T.select(q=(T.a * 0 + 7) // 2).limit(1)) == [{"q": 3}]


CONDITIONS = {
    "equal": lambda parts, sizes: parts.half == sizes._half,
    "the bucket before": lambda parts, sizes: parts.half == sizes._half + 1,
    "between": lambda parts, sizes: sizes._half.between(parts.half - 1, parts.half),
    "within an or": lambda parts, sizes: (parts.half == sizes._half) | (parts.a == sizes.n),
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_a_join_with_an_aggregate_of_its_own_expression_is_refused(condition):
    """Ibis 12 makes ``parts.half == sizes._half`` into ``_half = _half``: every row matches."""
    parts, sizes = halves()

    with pytest.raises(PluginError) as refused:
        guarded(parts.join(sizes, [condition(parts, sizes)]))
    assert str(refused.value) == (
        "join: a join condition compares '_half' with its own table, not with the other · "
        "join the table's .view() instead of the table"
    )


def test_a_join_over_the_view_is_right_and_a_condition_on_one_side_is_allowed(con):
    """a of 1, 1 and 3 have the halves 0, 0 and 1, so that groups of 2, 2 and 1; of these more than 1: the first two."""
    parts, sizes = halves()
    seen = parts.view()
    counted = seen.join(sizes, [seen.half == sizes._half, sizes.n > 1]).select("a", "n")
    everyone = seen.join(sizes, [seen.half == sizes._half]).select("a", "n").order_by("a")

    assert rows(con, counted) == [{"a": 1, "n": 2}, {"a": 1, "n": 2}]
    assert rows(con, everyone) == [{"a": 1, "n": 2}, {"a": 1, "n": 2}, {"a": 3, "n": 1}]


def halves():
    other = ibis.table({"customer_id": "string", "c": "int64"}, name="t").select(other="customer_id")
    parts = T.join(other, T.customer_id == other.other).select("a", half=T.a // 2)
    return parts, parts.group_by(_half=parts.half).agg(n=parts.count())
