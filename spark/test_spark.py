"""Every KPI on Spark has the figures that it has on DuckDB; what Spark does otherwise (traps E1, E2, E3, E8, E10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from simulations.population import population

import parity
from kpibook import params
from kpibook.engine import moments
from kpibook.engine.backend import opened
from kpibook.engine.compute import compute
from kpibook.engine.moments import Moments
from kpibook.engine.on_spark import Spark
from kpibook.plugins import discover
from kpibook.samples.__main__ import write

#: Py4J leaves its sockets to be closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

PARAMS = Path(__file__).parents[1] / "params"
#: One customer of so many is enough for every KPI to have a figure.
EVERY = 16
SMALL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.driver.extraJavaOptions": "-Xss16m",
    "spark.default.parallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.session.timeZone": "Pacific/Auckland",
}
T = ibis.table({"customer_id": "string", "a": "int64", "b": "int64", "ok": "boolean"}, name="t")
ROWS = [
    {"customer_id": "z", "a": 1, "b": 2, "ok": True},
    {"customer_id": "Y", "a": 1, "b": 0, "ok": None},
    {"customer_id": "x", "a": 3, "b": 4, "ok": False},
]


@pytest.fixture(scope="module")
def backend() -> Iterator[ibis.BaseBackend]:
    """Two workers in this process, and small statements: compiling them would take longer than they do."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in SMALL.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.fixture(scope="module")
def spark(backend: ibis.BaseBackend) -> Spark:
    database = opened(backend)
    assert isinstance(database, Spark)
    database.load("t", pa.Table.from_pylist(ROWS, schema=T.schema().to_pyarrow()))
    return database


def test_whole_numbers_divide_into_parts_and_nothing_by_zero(spark: Spark) -> None:
    """E1, E2: 1/2 = 0.5, 1/0 is null and no error, 3/4 = 0.75; between sums 5/6."""
    rows = spark.fetch(T.select("customer_id", r=T.a / T.b).order_by("customer_id")).to_pylist()
    sums = spark.fetch(T.agg(good=T.a.sum() / T.b.sum(), none=T.a.sum() / T.b.sum(where=T.b > 9).fill_null(0)))

    assert [row["r"] for row in rows] == [None, 0.75, 0.5]
    assert sums.to_pylist() == [{"good": 5 / 6, "none": None}]


def test_a_null_condition_counts_as_false(spark: Spark) -> None:
    """E3: of true, null and false one row counts; unguarded the null makes the count null."""
    assert spark.fetch(T.agg(n=T.count(where=T.ok), s=T.a.sum(where=T.ok))).to_pylist() == [{"n": 1, "s": 1}]


def test_ties_are_broken_by_the_customer_whose_text_goes_by_its_bytes(spark: Spark) -> None:
    """E8: two rows share a = 1; capitals come before small letters."""
    numbered = T.mutate(r=ibis.row_number().over(order_by=T.a)).select("customer_id", "r")

    assert {row["customer_id"]: row["r"] for row in spark.fetch(numbered).to_pylist()} == {"Y": 0, "z": 1, "x": 2}


def test_days_do_not_move_with_the_zone_of_the_session(spark: Spark) -> None:
    """E10: the session came with Auckland's clock; 23:30 stays on its day, and a time of day is text with its hour."""
    given = {"at": datetime(2024, 6, 30, 23, 30), "open": time(9, 45)}
    schema = pa.schema({"at": pa.timestamp("us"), "open": pa.time64("us")})
    spark.load("moments", pa.Table.from_pylist([given], schema=schema))
    read = ibis.table({"at": "timestamp(6)", "open": "time"}, name="moments")

    found = spark.fetch(
        read.select("at", day=read.at.date(), month=read.at.strftime("%Y-%m"), hour=read.open.hour().cast("int64"))
    )

    assert found.to_pylist() == [
        {"at": datetime(2024, 6, 30, 23, 30), "day": date(2024, 6, 30), "month": "2024-06", "hour": 9}
    ]


def test_moments(spark: Spark) -> None:
    """Of a: 1 and 1 and 3: the sum 5, squares 1 + 1 + 9 = 11, and the largest third of three is one row of 3."""
    inner = T.group_by("customer_id").agg(a=T.a.sum(), n=T.count()).mutate(s=ibis.literal("s"))
    columns = {"t": moments.total("a"), "aa": moments.product("a", "a"), "persons": moments.positive("n")}
    ranks = {"place": moments.rank("a", "n", ["s"])}
    top = {"top": moments.largest("a", "n", "place", "persons", 0.3)}

    found = spark.fetch(Moments(inner, ["s"], columns, ranks, top)).to_pylist()

    assert found == [{"s": "s", "t": 5.0, "aa": 11.0, "persons": 3, "top": 3.0}]


def test_every_kpi_of_marea(tmp_path: Path, backend: ibis.BaseBackend) -> None:
    """By total and by channel, on a sixteenth of the customers: 133 KPIs, none failed, none without its tables."""
    write("marea", tmp_path / "marea")
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8")
    (tmp_path / "marea.yaml").write_text(text.replace("../data/marea", str(tmp_path / "marea")), encoding="utf-8")
    people = population(tmp_path / "marea.yaml", tmp_path / "population.duckdb")
    client = params.load(tmp_path / "marea.yaml").model_copy(update={"breakdowns": ("channel",)})
    loaded = people.part(EVERY)
    rows = parity.tables(loaded)

    here = compute(discover().catalog, client, loaded)
    there = compute(discover().catalog, client, parity.moved(loaded, backend, rows))

    assert here.scorecard["kpi"].nunique() == 133
    assert not set(here.scorecard["status"]) & {"failed", "missing_data"}
    assert parity.differences(here, there) == []
