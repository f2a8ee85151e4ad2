"""Sums over clusters as text around a query."""

from __future__ import annotations

import ibis
import pytest

from kpibook.engine import moments
from kpibook.engine.moments import Moments
from kpibook.engine.on_duckdb import DuckDB


@pytest.fixture
def database():
    con = ibis.duckdb.connect()
    con.raw_sql(
        "CREATE TABLE persons AS FROM (VALUES ('b', 1, 2.5), ('b', 3, NULL), ('a', 0, 4), ('b', -2, 1)) AS t(s, x, y)"
    )
    return DuckDB(con)


def test_sums_products_and_counts_by_key(database):
    """Of b: 1 + 3 - 2 = 2; 2.5 + 1 = 3.5; 1*2.5 - 2*1 = 0.5; two x above 0, two y there. Of a: 0, 4, 0, 0, 1."""
    columns = {
        "x": moments.total("x"),
        "y": moments.total("y"),
        "xy": moments.product("x", "y"),
        "above": moments.positive("x"),
        "there": moments.present("y"),
    }
    persons = ibis.table({"s": "string", "x": "int32", "y": "decimal(2, 1)"}, name="persons")

    rows = database.fetch(Moments(persons.select("s", "x", "y"), ["s"], columns)).to_pylist()

    assert [{name: value if name == "s" else float(value) for name, value in row.items()} for row in rows] == [
        {"s": "a", "x": 0, "y": 4, "xy": 0, "above": 0, "there": 1},
        {"s": "b", "x": 2, "y": 3.5, "xy": 0.5, "above": 2, "there": 2},
    ]


def test_the_largest_part_of_the_clusters_that_count():
    """Of b, x of those with y: 1 and -2 (3 has no y); the larger half of them makes 1. Of a: its only one, 0."""
    con = ibis.duckdb.connect()
    con.raw_sql(
        "CREATE TABLE persons AS FROM (VALUES ('b', 1, 2), ('b', 3, 0), ('a', 0, 4), ('b', -2, 1)) AS t(s, x, y)"
    )
    persons = ibis.table({"s": "string", "x": "int32", "y": "int32"}, name="persons")
    ranks = {"place": moments.rank("x", "y", ["s"])}
    top = {"top": moments.largest("x", "y", "place", "persons", 0.5)}

    rows = DuckDB(con).fetch(Moments(persons, ["s"], {"persons": moments.positive("y")}, ranks, top)).to_pylist()

    assert rows == [{"s": "a", "persons": 1, "top": 0}, {"s": "b", "persons": 2, "top": 1}]


def test_a_person_has_one_row_for_both_periods():
    """Ann: 5 now, 3 before; Ben: 7 now only. Together 12 now, 3 before; 5*3 = 15; one has both."""
    con = ibis.duckdb.connect()
    con.raw_sql(
        "CREATE TABLE sums AS FROM (VALUES ('a', 'Ann', 'current', 5), ('a', 'Ann', 'previous', 3), "
        "('a', 'Ben', 'current', 7)) AS t(s, person, period, x)"
    )
    sums = ibis.table({"s": "string", "person": "string", "period": "string", "x": "int32"}, name="sums")
    spread = {side: moments.within("x", side, "period") for side in ("current", "previous")}
    columns = {
        "now": moments.total("current"),
        "before": moments.total("previous"),
        "both": moments.product("current", "previous"),
        "had": moments.present("previous"),
    }

    rows = DuckDB(con).fetch(Moments(sums, ["s"], columns, groups=["person"], spread=spread)).to_pylist()

    assert rows == [{"s": "a", "now": 12, "before": 3, "both": 15.0, "had": 1}]
