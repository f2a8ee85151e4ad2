"""The queries behind one KPI, and where DuckDB alone cannot read the client's files, the tables that they run on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from kpibook import asked, intake
from kpibook.engine import compute as engine
from kpibook.engine.script import script, tables
from kpibook.errors import DataError, ParamsError, Problem, did_you_mean
from kpibook.intake import Intake, room, sql
from kpibook.intake.connection import own_folder
from kpibook.intake.loading import resolved_root
from kpibook.intake.notes import plain
from kpibook.params import Params
from kpibook.plugins import discover
from kpibook.workbench import loaded


def queries(kpi: str, params: Params, folder: Path | None = None) -> str:
    """A script for DuckDB, over the client's files or, with ``folder``, over the tables that are written there.

    Where DuckDB alone does not read a file as it was read here the script says so, and what to do.
    """
    catalog = discover(params.plugins).catalog
    resolution = asked.resolved(catalog, params)
    if kpi not in resolution.kpis:
        raise ParamsError(Problem("command line", f"there is no KPI '{kpi}'", did_you_mean(kpi, resolution.kpis)))
    data = intake.load(params)
    read = [name for name in tables(resolution.kpis[kpi], resolution) if data.facts[name].rows]
    if folder is None:
        sources: Mapping[str, str] = {name: data.facts[name].sql for name in read if data.facts[name].sql}
        above = _warned(kpi, [name for name in read if not _runs(data, name, params)], data)
    else:
        sources, above = _written(read, data, folder), ""
    table = engine.reporting_windows(params, loaded(data))
    return above + script(resolution.kpis[kpi], resolution, engine.placer(catalog, resolution), table, sources)


def _runs(data: Intake, name: str, params: Params) -> bool:
    """Whether DuckDB, without extensions to be fetched, finds the table's rows in the client's files."""
    if params.extract or not data.facts[name].sql:
        return False
    own = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    with duckdb.connect(config=own) as con:
        con.execute(f"SET file_search_path = {sql.text(str(resolved_root(params)))}")
        try:
            found = con.execute(f"SELECT count(*) FROM ({data.facts[name].sql})").fetchall()
        except duckdb.Error:
            return False
    return found == [(data.facts[name].rows,)]


def _warned(kpi: str, unread: Sequence[str], data: Intake) -> str:
    if not unread:
        return ""
    files = sorted({file for name in unread for file in data.facts[name].files})
    of = f" ({plain(', '.join(files))})" if files else ""
    return (
        f"-- DuckDB alone does not make {', '.join(unread)}{of}: so this script does not run.\n"
        f"-- kpibook sql {kpi} PARAMS --data FOLDER writes what it reads to FOLDER, and prints one that runs.\n\n"
    )


def _written(names: Sequence[str], data: Intake, folder: Path) -> Mapping[str, str]:
    """Each table as Parquet in ``folder``, which only its owner may read, and how the script reads it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParamsError(Problem("command line", f"--data: '{folder}' is there, and not empty", "name a new folder"))
    made = {}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name in names:
            staged, path = own_folder(data.con) / f"{name}.parquet", folder.resolve() / f"{name}.parquet"
            data.con.raw_sql(f"COPY {name} TO {sql.text(str(staged))} (FORMAT parquet)")
            shutil.move(staged, path)
            made[name] = f"SELECT * FROM read_parquet({sql.text(str(path))})"
    except duckdb.Error as error:
        raise DataError(room.full(str(folder))) from error
    except OSError as error:
        what = f"--data: '{folder}' cannot be written ({error.strerror})"
        raise ParamsError(Problem("command line", what, "name a folder that can be made, with room")) from error
    return made
