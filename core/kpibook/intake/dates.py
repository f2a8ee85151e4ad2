"""Dates written as text: one format for the whole column, proved by it or said in params."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kpibook.intake import casting, sql
from kpibook.intake.casting import Cast, shown
from kpibook.intake.date_forms import (
    FORMS,
    NAMED_MONTHS,
    SERIAL,
    TIMED,
    Form,
    formats,
    of_month_names,
    of_number,
    shape,
    tail,
    tails,
)
from kpibook.intake.notes import Note
from kpibook.intake.typed_text import Asked, Decided, Seen, sorts
from kpibook.params_reading import NUMBERED

if TYPE_CHECKING:
    from kpibook.errors import Problem
    from kpibook.intake.facts import Severity
    from kpibook.intake.typed_text import Rows

_NONE = Cast("NULL")
_OFFSET = r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
_FEW = 100
_MOST_SHAPES = 1000
_FIRST = {"d": "day", "m": "month", "y": "year"}
_SHOWN = {"dmy": "%d{s}%m{s}%Y", "mdy": "%m{s}%d{s}%Y", "ymd": "%Y{s}%m{s}%d"}


def decide(rows: Rows, asked: Asked) -> Decided:
    """What is mixed, ambiguous or no date comes back as ``problems``."""
    named = asked.how.date_format
    if named is not None:
        return _numbered(rows, asked, named) if named in NUMBERED else _as_named(rows, asked, named)
    tests = {name: f"regexp_full_match(v, {sql.text(form.pattern)})" for name, form in FORMS.items()}
    fits = " OR ".join(f"coalesce({t}, false)" for t in tests.values())
    more = {
        "other": f"v IS NOT NULL AND NOT ({fits})",
        "all": "v IS NOT NULL",
        "timed": f"regexp_matches(v, {sql.text(TIMED)})",
        "zoned": f"regexp_matches(v, {sql.text(_OFFSET)})",
    }
    found = sorts(rows, asked, asked.value, {**tests, **more})
    present = [name for name in FORMS if found[name]]
    if len(present) > 1:
        return Decided(_NONE, (), (_mixed(rows, asked, found, present),))
    if found["other"]:
        return Decided(_NONE, (), (_no_date(asked, found["other"]),))
    if not present:
        return Decided(Cast(casting.nothing(asked.column)))
    return _one(rows, asked, found, present[0])


def _no_date(asked: Asked, other: Seen) -> Problem:
    """With two digits for the year behind a month's name (Oracle's own form) it is one that params can name."""
    if not re.fullmatch(r"\d{1,2}-[A-Za-z]{3}-\d{2}", other.value):
        return asked.not_one(other.row, other.value, other.count)
    what = f"ambiguous: {shown(other.value)} has two digits that may be its year or its day"
    return asked.problem(other.row, what, "say in params which it is: date_format: '%d-%b-%y' or '%y-%b-%d'")


def _one(rows: Rows, asked: Asked, found: dict[str, Seen], name: str) -> Decided:
    if name == SERIAL:
        first = found[name]
        what = f"{shown(first.value)} may be a date as a spreadsheet counts days: no date by itself"
        return Decided(_NONE, (), (asked.problem(first.row, what, "say date_format: excel, or deliver dates"),))
    if name == "iso":
        return _iso(asked, found)
    notes = _naive(asked, found)
    times = _times(rows, asked) if found["timed"] else ()
    if name == NAMED_MONTHS:
        return _moments(rows, asked, of_month_names(f"({asked.value})", times), notes, "names")
    form = FORMS[name]
    order, problems, severity = _order(rows, asked, form, times)
    if problems:
        return Decided(_NONE, (), tuple(problems))
    template = _SHOWN[order].replace("{s}", form.separator)
    shown_as = template.replace("%Y", "%y") if form.short else template
    notes.append(Note("dates", severity, asked.column.name, 0, found["all"].count, {"format": shown_as}))
    made = _parsed(f"({asked.value})", formats(order, form, times))
    return _moments(rows, asked, made, notes, "")


def _iso(asked: Asked, found: dict[str, Seen]) -> Decided:
    """Dates as ISO writes them, each with its own offset from UTC if it has one."""
    naive = found["timed"].count - found["zoned"].count
    if asked.column.kind == "datetime" and naive > 0 and found["zoned"] and asked.how.timezone is None:
        one = found["zoned"]
        what = f"ambiguous: {shown(one.value)} (row {one.row}) has a time zone, {sql.counted(naive, 'other')} have none"
        return Decided(_NONE, (), (asked.problem(None, what, "say in params where those stand: timezone: UTC"),))
    made = casting.cast(asked.column, f"({asked.value})", "VARCHAR", asked.how.timezone, asked.shop)
    return Decided(made or _NONE, tuple(_naive(asked, found)))


def _naive(asked: Asked, found: dict[str, Seen]) -> list[Note]:
    """Clock times without a zone are the shop's, unless params say otherwise."""
    naive = found["timed"].count - found["zoned"].count
    if asked.column.kind != "datetime" or naive <= 0:
        return []
    details: dict[str, str | int | float] = {"zone": asked.how.timezone or asked.shop}
    return [Note("clock", "info", asked.column.name, naive, found["all"].count, details)]


def _times(rows: Rows, asked: Asked) -> tuple[str, ...]:
    """The formats of times that the column has."""
    inner = f"SELECT {tail('v')} AS t FROM (SELECT {asked.value} AS v FROM ({asked.untyped}))"
    seen = rows(f"SELECT any_value(t) FROM ({inner}) WHERE t <> '' GROUP BY {shape('t')} LIMIT {_MOST_SHAPES}")
    return tails(example for (example,) in seen)


def _order(rows: Rows, asked: Asked, form: Form, times: tuple[str, ...]) -> tuple[str, list[Problem], Severity]:
    """Which of the orders a form can have is the one of every row."""
    if len(form.orders) == 1:
        return form.orders[0], [], "info"
    made = dict(zip(form.orders, ("m0", "m1", "m2"), strict=False))
    more = ", ".join(f"{_parsed('v', formats(o, form, times))} AS {m}" for o, m in made.items())
    tests = {f"not_{o}": f"v IS NOT NULL AND {m} IS NULL" for o, m in made.items()}
    tests["never"] = " AND ".join(["v IS NOT NULL", *(f"{m} IS NULL" for m in made.values())])
    first = next(iter(made.values()))
    tests["differ"] = "v IS NOT NULL AND (" + " OR ".join(f"{first} IS DISTINCT FROM {m}" for m in made.values()) + ")"
    found = sorts(rows, asked, asked.value, tests, more)
    fitting = [o for o in form.orders if not found[f"not_{o}"]]
    if found["never"]:
        never = found["never"]
        return "", [asked.not_one(never.row, never.value, never.count)], "info"
    if not fitting:
        one, two = (found[f"not_{o}"] for o in form.orders[:2])
        what = f"day and month are mixed: {shown(two.value)} (row {two.row}) and {shown(one.value)} (row {one.row})"
        return "", [asked.problem(None, what, "write all dates alike")], "info"
    if len(fitting) > 1 and found["differ"] and form.separator != ".":
        seen = found["differ"]
        ways = " or ".join(f"'{_SHOWN[o].replace('{s}', form.separator)}'" for o in fitting)
        ways = ways.replace("%Y", "%y") if form.short else ways
        firsts = " or ".join(dict.fromkeys(_FIRST[order[0]] for order in fitting))
        what = f"ambiguous: {shown(seen.value)} may be {firsts} first, and no other date of the column tells"
        return "", [asked.problem(seen.row, what, f"say in params which it is: date_format: {ways}")], "info"
    proofs = min((found[f"not_{o}"].count for o in form.orders if o not in fitting), default=0)
    few = len(fitting) == 1 and proofs * _FEW < found["differ"].count
    unproved = len(fitting) > 1 and found["differ"].count > 0
    return fitting[0], [], "amber" if few or unproved or form.short else "info"


def _mixed(rows: Rows, asked: Asked, found: dict[str, Seen], present: list[str]) -> Problem:
    """Each format's first value, and those that contradict each other about day and month."""
    examples = {found[name].row: found[name].value for name in present}
    for name in present:
        form = FORMS[name]
        if len(form.orders) > 1:
            inside = f"regexp_full_match(v, {sql.text(form.pattern)})"
            times = _times(rows, asked)
            tests = {o: f"{inside} AND {_parsed('v', formats(o, form, times))} IS NULL" for o in form.orders}
            examples |= {s.row: s.value for s in sorts(rows, asked, asked.value, tests).values() if s}
    listed = ", ".join(f"{shown(value)} (row {row})" for row, value in sorted(examples.items()))
    return asked.problem(None, f"mixed date formats: {listed}", "write all dates alike")


def _as_named(rows: Rows, asked: Asked, named: str) -> Decided:
    value = f"({asked.value})"
    made = f"try_strptime({value}, {sql.text(named)})"
    if "%z" in named:
        zoned = f"timezone({sql.text(asked.shop)}, {made})"
        return _typed(rows, asked, zoned, [_format_note(asked, named)], f"a date as '{named}'")
    return _moments(rows, asked, made, [_format_note(asked, named)], "", f"a date as '{named}'")


def _format_note(asked: Asked, named: str) -> Note:
    return Note("dates", "info", asked.column.name, 0, 0, {"format": named})


def _numbered(rows: Rows, asked: Asked, named: str) -> Decided:
    """Days since 1900 or 1904, or seconds since 1970 in UTC."""
    made, is_utc = of_number(f"({asked.value})", named)
    notes = [_format_note(asked, named)]
    if is_utc:
        return _typed(
            rows, asked, f"timezone({sql.text(asked.shop)}, timezone('UTC', {made}))", notes, f"a date as '{named}'"
        )
    return _moments(rows, asked, made, notes, "", f"a date as '{named}'")


def _parsed(value: str, written: list[str]) -> str:
    listed = ", ".join(map(sql.text, written))
    return f"try_strptime({value}, [{listed}])"


def _moments(rows: Rows, asked: Asked, made: str, notes: list[Note], rule: str, expected: str = "") -> Decided:
    """``made`` is a clock time in the column's own zone."""
    if rule:
        notes = [*notes, Note("month_names", "info", asked.column.name)]
    zone = asked.how.timezone
    if zone is not None and zone != asked.shop:
        made = f"timezone({sql.text(asked.shop)}, timezone({sql.text(zone)}, {made}))"
    return _typed(rows, asked, made, notes, expected)


def _typed(rows: Rows, asked: Asked, made: str, notes: list[Note], expected: str) -> Decided:
    kind = "DATE" if asked.column.kind == "date" else "TIMESTAMP"
    made = f"CAST({made} AS {kind})"
    inner = f"SELECT {sql.ROW} AS r, {asked.value} AS v, {made} AS m FROM ({asked.untyped})"
    count, row, value = rows(
        f"SELECT count(*), min(r), arg_min(v, r) FROM ({inner}) WHERE v IS NOT NULL AND m IS NULL"
    )[0]
    if not count:
        return Decided(Cast(made), tuple(notes))
    if not expected:
        return Decided(_NONE, (), (asked.not_one(row, value, count),))
    more = f", {count} rows in all" if count > 1 else ""
    remedy = "correct date_format: in params, or the file"
    return Decided(_NONE, (), (asked.problem(row, f"{shown(value)} is not {expected}{more}", remedy),))
