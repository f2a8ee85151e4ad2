"""Client data -> canonical tables and quality findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake.connection import connect
from kpibook.intake.facts import Finding, Intake, TableFacts, quality_document
from kpibook.intake.loading import Loader, resolved_root
from kpibook.intake.quality import examined
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
    root = resolved_root(params)
    if con is None:
        con = connect(params.limits, scratch)
    loader = Loader(con, params, root)
    facts = loader.run()
    refuse(con, params, loader.loaded)
    found, spans = examined(con, params, loader.loaded)
    con.raw_sql("DROP TABLE IF EXISTS __lines")
    dated = facts["transactions"]
    return Intake(con, facts, found, loader.fingerprints(), dated.date_min, dated.date_max, spans)
