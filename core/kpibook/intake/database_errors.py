"""What went wrong with a database, in our words: a driver's own may hold the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook import sources
from kpibook.errors import Problem
from kpibook.intake.database_session import NoSuchFileError

if TYPE_CHECKING:
    from kpibook.params import Params

_SCHEMES = {"postgresql": "postgres"}


def refused(error: Exception, source: str, where: str) -> Problem:
    """A connection that was not made."""
    names = list(dict.fromkeys(sources.REFERENCE.findall(source)))
    check = f"check {' and '.join(names)}" if names else "check the URL"
    if isinstance(error, ImportError):
        scheme = source.partition(":")[0]
        backend = _SCHEMES.get(scheme, scheme)
        what = f"the driver for {backend} is not installed"
        return Problem(where, what, f"install it: pip install 'ibis-framework[{backend}]'")
    if isinstance(error, NoSuchFileError):
        return Problem(where, "there is no such database file", "write its absolute path after ://")
    if isinstance(error, ValueError):
        return Problem(where, "the URL cannot be read", "write it as scheme://user:password@host:port/database")
    login = getattr(error, "pgconn", None)
    if login is not None and (login.used_password or login.needs_password or b"FATAL" in login.error_message):
        what = "the server answers and refuses the login"
        return Problem(where, what, f"{check}: user, password, name of the database, and who may connect")
    if login is not None or _is(error, "OperationalError"):
        what = "the database cannot be reached"
        return Problem(where, what, "check host and port, that the server runs, and that no firewall is between")
    return Problem(where, f"the database cannot be opened ({type(error).__name__})", check)


def unread(error: Exception, where: str, params: Params, rows: int) -> Problem:
    """A table that could not be read, after ``rows`` rows."""
    state = str(getattr(error, "sqlstate", None) or "")
    if state == "42501" or _is(error, "InsufficientPrivilege"):
        return Problem(where, "the user has no right to read this table", "let its owner grant SELECT on it")
    if state == "57014" or _is(error, "QueryCanceled"):
        what = f"the server did not answer within limits.statement_seconds = {params.limits.statement_seconds}"
        return Problem(where, what, "raise it, or let a table take the place of a slow view")
    if state[:2] in ("08", "57") or _is(error, "OperationalError", "InterfaceError"):
        what = f"the connection was lost after {rows} rows"
        return Problem(where, what, "try again; if it happens again, ask who runs the server")
    if state[:2] == "22" or _is(error, "ArrowInvalid", "ArrowTypeError", "DataError", "OverflowError", "TypeError"):
        what = f"a value cannot be carried over, after {rows} rows"
        return Problem(where, what, "let a view give the column as text")
    return Problem(where, f"the table cannot be read ({type(error).__name__})", "check its name and type")


def unanswered(error: Exception, where: str, params: Params, doing: str) -> Problem:
    """A statement of ours that the server did not answer while it was ``doing`` something."""
    state = str(getattr(error, "sqlstate", None) or "")
    if state == "57014":
        what = f"the server did not answer within limits.statement_seconds = {params.limits.statement_seconds}"
        return Problem(where, f"{what}, {doing}", "raise it, or write extract: true")
    if state[:2] in ("08", "57") or (_is(error, "OperationalError", "InterfaceError") and not state):
        what = f"the connection was lost {doing}"
        return Problem(where, what, "try again; if it happens again, ask who runs the server")
    if state[:2] == "22":
        what = f"a value does not fit the mapping, {doing}"
        return Problem(where, what, "write extract: true once: it names the row and the value")
    if state in ("42501", "25006"):
        what = "the user may make no temporary table in the database"
        return Problem(where, what, "let its owner grant TEMPORARY on it, or write extract: true")
    if state[:2] == "53":
        return Problem(where, f"the server has no room left, {doing}", "ask who runs it, or write extract: true")
    return Problem(
        where, f"the server refuses a statement, {doing} (SQLSTATE {state or 'none'})", "write extract: true"
    )


def _is(error: Exception, *names: str) -> bool:
    kinds: list[Any] = list(type(error).__mro__)
    return any(kind.__name__ in names for kind in kinds)
