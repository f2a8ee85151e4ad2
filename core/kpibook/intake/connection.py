"""The embedded database a run works in."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook.intake import sql

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from kpibook.params import Limits


def connect(limits: Limits, scratch: Path | None = None, root: Path | None = None) -> Backend:
    """A DuckDB in memory that spills into ``scratch`` (default: a folder of its own, removed with it).

    It reads files below ``root`` and no others, whatever a query says. Nothing is downloaded, and every clock
    in it is UTC.
    """
    import ibis

    folder = Path(tempfile.mkdtemp(prefix="kpibook-", dir=scratch))
    con = ibis.duckdb.connect(
        memory_limit=limits.memory.replace(" ", ""),
        threads=limits.threads,
        temp_directory=str(folder / "spill"),
        autoinstall_known_extensions=False,
    )
    con.raw_sql("SET TimeZone = 'UTC'")
    allowed = ", ".join(sql.text(str(each)) for each in (root, folder) if each)
    con.raw_sql(f"SET allowed_directories = [{allowed}]")
    con.raw_sql("SET enable_external_access = false")
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con


def own_folder(con: Backend) -> Path:
    """The folder that goes with a connection: what is staged for it lies there too."""
    return Path(sql.row(con, "SELECT current_setting('temp_directory')")[0]).parent


def lock(con: Backend) -> None:
    """Nothing can be set any more. Each query is on one thread from here on: the engine has several under way."""
    if sql.row(con, "SELECT current_setting('lock_configuration')")[0]:
        return
    con.raw_sql("SET threads = 1")
    con.raw_sql("SET lock_configuration = true")
