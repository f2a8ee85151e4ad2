"""Names that a new KPI or pack may have: what is no plain one, or is taken, is refused before anything is written."""

from __future__ import annotations

import keyword
import re
import sys

from kpibook.errors import ParamsError, Problem
from kpibook.model import TABLES

KPI = re.compile(r"[a-z][a-z0-9_]{0,59}")
PACK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 60


def kpi(name: str, known: frozenset[str]) -> str:
    """A KPI's id. Raises ParamsError; ``known`` are the ids that there are."""
    if not KPI.fullmatch(name):
        _refuse(name, "is no name of a KPI", "write small letters, digits and _, a letter first, 60 at most")
    _refuse_reserved(name)
    if name in known or name in {*TABLES, "scorecard", "periods"}:
        _refuse(name, "is taken", "give it another name; kpibook kpis lists the KPIs")
    return name


def pack(name: str) -> str:
    """A distribution's name. Raises ParamsError."""
    if not PACK.fullmatch(name) or len(name) > LONGEST:
        _refuse(name, "is no name of a pack", "write small letters, digits and hyphens, a letter first, 60 at most")
    _refuse_reserved(name.replace("-", "_"))
    if name in {"kpibook", "loyalty-kpis"}:
        _refuse(name, "is taken", "give it another name")
    return name


def _refuse_reserved(name: str) -> None:
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in sys.stdlib_module_names:
        _refuse(name, "is a word of Python's own", "give it another name")


def _refuse(name: str, what: str, remedy: str) -> None:
    raise ParamsError(Problem("command line", f"{name[:80]!r} {what}", remedy))
