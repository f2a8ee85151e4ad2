"""The database of a run reads the client's folder and no other file, and can be set no more once the tables are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from intake.shop_client import fetch
from kpibook import intake
from kpibook.engine.on_duckdb import DuckDB
from kpibook.params import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from intake.shop_client import Client

FLAT = """
    order_lines:
      from: lines.csv
      columns: {transaction_id: t, customer_id: c, ts: at, product_id: p, net_amount: n}
    """
OUTSIDE = "file system operations are disabled by configuration"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The client's folder with a file, another client's with one."""
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lines.csv").write_text("a\n1\n", encoding="utf-8")
    return tmp_path / "own", tmp_path / "other"


def test_only_files_of_the_source_folder_are_read(folders: tuple[Path, Path]) -> None:
    own, other = folders
    con = intake.connect(Limits(), own.parent, own)
    assert con.raw_sql(f"SELECT * FROM read_csv('{own}/lines.csv')").fetchall() == [(1,)]
    for query in (
        f"SELECT * FROM read_csv('{other}/lines.csv')",
        f"SELECT * FROM read_csv('{own}/../other/lines.csv')",
        "SELECT * FROM read_text('/etc/passwd')",
        f"SELECT * FROM glob('{other}/*')",
        f"ATTACH '{other}/x.db'",
        f"COPY (SELECT 1) TO '{other}/x.csv'",
    ):
        with pytest.raises(duckdb.PermissionException, match=OUTSIDE):
            con.raw_sql(query)
    assert [path.name for path in other.iterdir()] == ["lines.csv"]


def test_no_extension_is_fetched(folders: tuple[Path, Path]) -> None:
    con = intake.connect(Limits(), folders[0].parent, folders[0])
    with pytest.raises(duckdb.PermissionException):
        con.raw_sql("INSTALL httpfs")
    with pytest.raises(duckdb.PermissionException):
        con.raw_sql("LOAD httpfs")


def test_once_the_tables_are_in_nothing_can_be_set(client: Client) -> None:
    client.csv("lines.csv", "t,c,at,p,n\n1,a,2017-07-01 10:00:00,x,2.5\n")
    loaded = client.load(FLAT)
    wanted = "SELECT current_setting('enable_external_access'), current_setting('lock_configuration')"
    assert fetch(loaded, wanted) == [(False, True)]
    for statement in (
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET threads = 4",
        "RESET threads",
        "SET lock_configuration = false",
        "SET TimeZone = 'Europe/Rome'",
    ):
        with pytest.raises(duckdb.InvalidInputException, match=r"configuration has been locked|enable_external_access"):
            loaded.con.raw_sql(statement)


def test_the_engine_computes_in_a_locked_database_with_what_it_loads(client: Client) -> None:
    import pyarrow as pa

    client.csv("lines.csv", "t,c,at,p,n\n1,a,2017-07-01 10:00:00,x,2.5\n")
    database = DuckDB(client.load(FLAT).con)
    with database.one_thread_each():
        database.load("periods", pa.table({"n": [1, 2]}))
        assert database.fetch(database.ibis.table("periods").n.sum().name("s").as_table()).to_pylist() == [{"s": 3}]
    assert database.ibis.con.execute("SELECT current_setting('threads')").fetchone() == (1,)


def test_a_database_that_is_not_locked_gets_its_threads_back() -> None:
    import ibis

    database = DuckDB(ibis.duckdb.connect(threads=2))
    with database.one_thread_each():
        assert database.ibis.con.execute("SELECT current_setting('threads')").fetchone() == (1,)
    assert database.ibis.con.execute("SELECT current_setting('threads')").fetchone() == (2,)


def test_what_does_not_fit_into_memory_is_spilt_into_a_folder_that_goes_with_the_connection(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    con = intake.connect(Limits(memory="60MB", threads=1), tmp_path, tmp_path / "own")
    (folder,) = tmp_path.glob("kpibook-*")
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    con.raw_sql("CREATE TABLE big AS SELECT range AS n, md5(range::VARCHAR) AS m FROM range(3000000)")
    assert [path for path in folder.rglob("*") if path.is_file()]
    con.disconnect()
    del con
    assert list(tmp_path.glob("kpibook-*")) == []
