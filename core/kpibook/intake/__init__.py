"""Client data -> canonical tables and quality findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake import database
from kpibook.intake.connection import connect, lock
from kpibook.intake.facts import Finding, Intake, TableFacts, quality_document
from kpibook.intake.loading import Loader, resolved_root
from kpibook.intake.quality import findings
from kpibook.intake.refusals import refuse

if TYPE_CHECKING:
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.params import Params

__all__ = ["Finding", "Intake", "TableFacts", "connect", "load", "quality_document"]


def load(params: Params, con: Backend | None = None, scratch: Path | None = None) -> Intake:
    """Read the client's files into canonical tables in ``con`` (default: a database in memory).

    Raises ParamsError when the source cannot be named, DataError with every problem when the data are refused.
    """
    root = None if params.extract else resolved_root(params)
    if con is None:
        con = connect(params.limits, scratch, root)
    loader = Loader(con, params, root)
    facts = loader.run()
    refuse(con, params, loader.loaded)
    found = findings(con, params, loader.loaded)
    con.raw_sql("DROP TABLE IF EXISTS __lines")
    database.forget(con)
    lock(con)
    dated = facts["transactions"]
    return Intake(con, facts, found, loader.fingerprints(), dated.date_min, dated.date_max)
