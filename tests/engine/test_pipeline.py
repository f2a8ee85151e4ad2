"""Work that asks a database: in the order of what it needs, errors told to whom they concern."""

from __future__ import annotations

import gc
import sys
import time

import duckdb
import ibis
import pytest

from kpibook.engine import pipeline
from kpibook.engine.on_duckdb import DuckDB
from kpibook.engine.pipeline import Create, Task

NUMBERS = {"x": "int64"}


@pytest.fixture
def database():
    con = ibis.duckdb.connect()
    con.raw_sql("CREATE TABLE numbers AS SELECT * FROM (VALUES (1), (2), (4)) AS t (x)")
    return DuckDB(con, workers=2)


def doubled(name):
    numbers = ibis.table(NUMBERS, name=name)
    return numbers.select(x=numbers.x * 2)


def summed(name):
    rows = yield ibis.table(NUMBERS, name=name)
    return sum(rows["x"].to_pylist())


def results(database, tasks):
    return [task.result for task in pipeline.run(database, tasks)]


def made(name, table):
    yield Create(name, table)


def test_work_gets_the_rows_it_asks_for_and_its_result_stands_in_the_tasks_order(database):
    """1 + 2 + 4 = 7; doubled 14; doubled twice 28, although it is asked for first."""
    tasks = [
        Task("c", summed("twice"), frozenset({"twice"})),
        Task("b", summed("once"), frozenset({"once"})),
        Task("twice", made("twice", doubled("once")), frozenset({"once"})),
        Task("a", summed("numbers")),
        Task("once", made("once", doubled("numbers"))),
    ]
    assert results(database, tasks) == [28, 14, None, 7, None]
    assert [task.fetched for task in tasks] == [1, 1, 0, 1, 0]


def test_work_may_ask_again_or_not_at_all(database):
    def twice():
        first = yield ibis.table(NUMBERS, name="numbers")
        second = yield doubled("numbers")
        return first["x"].to_pylist() + second["x"].to_pylist()

    def never():
        return "nothing asked"
        yield

    assert results(database, [Task("a", never()), Task("b", twice())]) == ["nothing asked", [1, 2, 4, 2, 4, 8]]


def test_work_that_asks_nothing_is_not_begun_before_what_it_needs_is_there(database):
    seen = []

    def first():
        rows = yield ibis.table(NUMBERS, name="numbers")
        time.sleep(0.05)
        seen.extend(rows["x"].to_pylist())

    def second():
        return list(seen)
        yield

    tasks = [Task("first", first()), Task("second", second(), frozenset({"first"}), asks=False)]
    assert results(database, tasks) == [None, [1, 2, 4]]


def test_tasks_are_taken_up_while_later_ones_are_planned(database):
    """The second task is planned only after the first one's rows have come."""
    seen = []

    def first():
        rows = yield ibis.table(NUMBERS, name="numbers")
        seen.append(len(rows))

    def plan():
        yield Task("first", first())
        waited = time.monotonic() + 5
        while not seen and time.monotonic() < waited:
            time.sleep(0.005)
        yield Task("second", summed("numbers"), frozenset({"first"}))
        seen.append("planned")

    assert results(database, plan()) == [None, 7]
    assert seen == [3, "planned"]


def test_a_plan_that_raises_stops_the_run(database):
    def plan():
        yield Task("first", summed("numbers"))
        raise ValueError("no plan")

    with pytest.raises(ValueError, match=r"^no plan$"):
        pipeline.run(database, plan())


def test_a_name_that_nobody_makes_is_not_waited_for(database):
    assert results(database, [Task("a", summed("numbers"), frozenset({"nobody"}))]) == [7]


def test_an_error_of_the_database_is_thrown_where_it_was_asked(database):
    def careful():
        try:
            yield ibis.table(NUMBERS, name="absent")
        except duckdb.CatalogException as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"

    assert results(database, [Task("a", careful()), Task("b", summed("numbers"))]) == [
        "CatalogException: Catalog Error: Table with name absent does not exist!",
        7,
    ]


def test_what_cannot_be_compiled_is_thrown_where_it_was_asked_and_work_goes_on(database, monkeypatch):
    numbers = ibis.table(NUMBERS, name="numbers")
    compiled = DuckDB.sql

    def sql(self, table):
        if table.equals(doubled("numbers")):
            raise NotImplementedError("no rule for this")
        return compiled(self, table)

    def careful():
        try:
            yield doubled("numbers")
        except NotImplementedError as error:
            rows = yield numbers
            return str(error), len(rows)

    monkeypatch.setattr(DuckDB, "sql", sql)
    assert results(database, [Task("a", careful())]) == [("no rule for this", 3)]


def test_turns_are_short_while_it_runs_and_as_before_afterwards(database):
    def asked():
        yield ibis.table(NUMBERS, name="numbers")
        return sys.getswitchinterval()

    before = sys.getswitchinterval()
    assert results(database, [Task("a", asked())]) == [pytest.approx(pipeline.TURN)]
    assert sys.getswitchinterval() == before != pytest.approx(pipeline.TURN)


def test_one_worker_at_most_compiles_ahead(monkeypatch):
    """Of three workers, with everything waiting for a table, one compiles; the queries come out as before."""
    con = ibis.duckdb.connect()
    con.raw_sql("CREATE TABLE numbers AS SELECT * FROM (VALUES (1), (2), (4)) AS t (x)")
    ahead, most, prepared, plain = [], [0], [], Task.prepare

    def prepare(task, database):
        ahead.append(task)
        most[0] = max(most[0], len(ahead))
        time.sleep(0.005)
        plain(task, database)
        ahead.remove(task)
        prepared.append(task)

    def slow():
        waited = time.monotonic() + 10
        while len(prepared) < 8 and time.monotonic() < waited:
            time.sleep(0.005)
        yield Create("once", doubled("numbers"))

    monkeypatch.setattr(Task, "prepare", prepare)
    later = [Task(n, summed("once"), frozenset({"once"})) for n in range(7)]
    tasks = [Task("first", summed("numbers")), Task("once", slow()), *later]
    assert results(DuckDB(con, workers=3), tasks) == [7, None] + [14] * 7
    assert most[0] == 2  # the one at work on its table compiles it, and one ahead


def test_nothing_else_is_planned_until_the_first_statement_is_compiled(database, monkeypatch):
    happened, plain = [], Task.prepare

    def prepare(task, database):
        plain(task, database)
        happened.append(f"{task.name} compiled")

    def planned():
        yield Task("a", summed("numbers"))
        happened.append("b planned")
        yield Task("b", summed("numbers"))

    monkeypatch.setattr(Task, "prepare", prepare)
    assert results(database, planned()) == [7, 7]
    assert happened[:2] == ["a compiled", "b planned"]
    assert sorted(happened) == ["a compiled", "b compiled", "b planned"]


def test_work_that_raises_stops_the_run_and_collection_of_garbage_goes_on(database):
    def broken():
        yield ibis.table(NUMBERS, name="numbers")
        raise ValueError("three rows are not enough")

    with pytest.raises(ValueError, match=r"^three rows are not enough$"):
        results(database, [Task("a", broken())])
    assert gc.isenabled()


def test_no_tasks_no_results(database):
    assert results(database, []) == []
