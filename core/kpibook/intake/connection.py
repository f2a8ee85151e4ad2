"""The embedded database a run works in."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from kpibook.params import Limits


def connect(limits: Limits, scratch: Path | None = None) -> Backend:
    """A DuckDB in memory that spills into ``scratch`` (default: a folder of its own, removed with it).

    Nothing is downloaded, and every clock in it is UTC.
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
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con
