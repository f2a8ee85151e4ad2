"""A client's canonical tables and findings, kept in the store under the files and params that they were made from.

The tables are Parquet, in the order of their rows; what was found stands beside them as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from kpibook import lineage
from kpibook.cache import code
from kpibook.cache.store import checksum
from kpibook.errors import DataError
from kpibook.intake import files, sql
from kpibook.intake.facts import Finding, Intake, TableFacts
from kpibook.intake.reconciliation import Reconciled
from kpibook.model import SQL_TYPES, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.cache.store import Store
    from kpibook.params import Params

KIND = "inputs"
FOUND = "found.json"
#: All that intake reads of a params file, besides limits and what is only told.
READ = ("tables", "card_use", "currency", "timezone", "period", "compare", "targets", "costs")
EMPTY = "empty"


class Key(NamedTuple):
    """What decides the tables: a digest, and the fingerprints of the files in it."""

    digest: str
    prints: dict[str, str]


def key(params: Params, root: Path) -> Key | None:
    """That of a client whose files lie in ``root``; None where one is not there."""
    names = {name for mapping in params.tables.values() for name in (mapping.from_, *mapping.join)}
    try:
        prints = {name: files.fingerprint(files.find(root, name, "")) for name in sorted(names)}
    except (DataError, OSError):  # the reader tells which, and where it is named
        return None
    said = [repr((name, getattr(params, name))) for name in READ]
    return Key(lineage.fingerprint(code.engine(), *said, *(f"{name} {each}" for name, each in prints.items())), prints)


def taken(con: Backend, store: Store, at: Key, folder: Path) -> Intake | None:
    """The intake kept under a key, its tables in ``con``; None when there is none."""
    lent = store.lend(KIND, at.digest, folder)
    if lent is None:
        return None
    found = json.loads(lent.pop(FOUND).read_text(encoding="utf-8"))
    for name in TABLES:
        if f"{name}.parquet" in lent:
            con.raw_sql(f"CREATE TABLE {name} AS SELECT * FROM read_parquet({sql.text(str(lent[f'{name}.parquet']))})")
        else:
            con.raw_sql(f"CREATE TABLE {name} ({columns(name)})")
    for path in lent.values():
        path.unlink()
    return Intake(
        con,
        {each["name"]: _facts(each) for each in found["facts"]},
        tuple(Finding(**{**each, "examples": tuple(each["examples"])}) for each in found["findings"]),
        found["fingerprints"],
        _day(found["data_start"]),
        _day(found["data_end"]),
        tuple(Reconciled(**{**each, **_days(each, "start", "end")}) for each in found["reconciled"]),
        found["digests"],
        taken=True,
    )


def keep(intake: Intake, store: Store, folder: Path, at: Key | None = None) -> Intake:
    """The intake with digests of its tables; kept, unless its source is a database or a file changed meanwhile."""
    import duckdb

    made = {name: folder / f"{name}.parquet" for name, facts in intake.facts.items() if facts.rows}
    try:
        for name, path in made.items():
            intake.con.raw_sql(f"COPY {name} TO {sql.text(str(path))} (FORMAT parquet)")
        digests = {name: checksum(made[name]) if name in made else EMPTY for name in intake.facts}
        told = replace(intake, digests=digests)
        if at is not None and at.prints == dict(intake.fingerprints):
            (folder / FOUND).write_text(_text(told), encoding="utf-8")
            store.put(KIND, at.digest, lambda new: _moved([*made.values(), folder / FOUND], new))
    except (duckdb.Error, OSError) as error:
        store.notes.append(f"cache, {KIND}: not kept ({str(error).splitlines()[0]})")
        return intake
    finally:
        for path in (*made.values(), folder / FOUND):
            path.unlink(missing_ok=True)
    return told


def columns(name: str) -> str:
    """The columns of a canonical table as CREATE TABLE wants them."""
    return ", ".join(f"{sql.name(c.name)} {SQL_TYPES[c.kind]}" for c in TABLES[name].columns.values())


def _moved(paths: list[Path], new: Path) -> None:
    import shutil

    for path in paths:
        shutil.move(path, new / path.name)


def _text(intake: Intake) -> str:
    document = {
        "facts": [asdict(each) | {"supplied": sorted(each.supplied)} for each in intake.facts.values()],
        "findings": [asdict(each) for each in intake.findings],
        "fingerprints": dict(intake.fingerprints),
        "data_start": intake.data_start,
        "data_end": intake.data_end,
        "reconciled": [asdict(each) for each in intake.reconciled],
        "digests": dict(intake.digests),
    }
    return json.dumps(document, default=date.isoformat)


def _facts(kept: dict[str, Any]) -> TableFacts:
    changed = {"supplied": frozenset(kept["supplied"]), "files": tuple(kept["files"])}
    return TableFacts(**{**kept, **changed, **_days(kept, "date_min", "date_max")})


def _days(kept: Mapping[str, Any], *names: str) -> dict[str, date | None]:
    return {name: _day(kept[name]) for name in names}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
