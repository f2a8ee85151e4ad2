"""Client data -> canonical tables and quality findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kpibook import sources
from kpibook.errors import DataError
from kpibook.intake import database, in_place, kept
from kpibook.intake.connection import connect, lock, own_folder
from kpibook.intake.facts import Finding, Intake, TableFacts, quality_document
from kpibook.intake.files import Reader
from kpibook.intake.loading import Loader, resolved_root
from kpibook.intake.quality import examined
from kpibook.intake.refusals import refuse
from kpibook.intake.values import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.cache.store import Store
    from kpibook.params import Params

__all__ = ["Finding", "Intake", "TableFacts", "connect", "load", "quality_document"]

#: Hears how far a long file is: its name, done, of how much (0: not known).
Tell = Callable[[str, int, int], None]


def load(
    params: Params, scratch: Path | None = None, tell: Tell = lambda *_: None, store: Store | None = None
) -> Intake:
    """Read the client's files into canonical tables of a database in memory that spills into ``scratch``.

    With ``extract: false`` a database's are made on its own server, and nothing is kept.
    From ``store``, if it has them under the same files and params; else they are kept there.
    Raises ParamsError when the source cannot be named, DataError with every problem when the data are refused.
    """
    if sources.is_database(params.source) and not params.extract:
        return in_place.load(params)
    root = None if params.extract else resolved_root(params)
    con = connect(params.limits, scratch, root)
    key = None if store is None or root is None else kept.key(params, root)
    if store is None:
        found = _read(con, params, root, tell)
    elif key is None:
        found = kept.keep(_read(con, params, root, tell), store, own_folder(con))
    else:
        found = kept.taken(con, store, key, own_folder(con)) or kept.keep(
            _read(con, params, root, tell), store, own_folder(con), key
        )
    lock(con)
    return found


def _read(con: Backend, params: Params, root: Path | None, tell: Tell) -> Intake:
    import duckdb

    try:
        return _examined(con, params, root, tell)
    except duckdb.OutOfMemoryException as error:
        raise DataError(refusal(error, params.where("limits", "memory"))) from error


def _examined(con: Backend, params: Params, root: Path | None, tell: Tell) -> Intake:
    loader = Loader(con, params, None if root is None else Reader(con, params, root, own_folder(con), tell))
    facts = loader.run()
    refuse(con, params, loader.loaded)
    seen, spans = examined(con, params, loader.loaded)
    found = (*seen, *loader.notes)
    con.raw_sql("DROP TABLE IF EXISTS __lines")
    database.forget(con)
    dated = facts["transactions"]
    ordered = tuple(sorted(found, key=lambda finding: finding.order))
    return Intake(con, facts, ordered, loader.fingerprints(), dated.date_min, dated.date_max, spans)
