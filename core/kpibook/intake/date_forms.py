"""The forms in which dates are written, and SQL that reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kpibook.intake import sql

_TIME = r"\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d{1,9})?)?( ?[AaPp]\.?[Mm]\.?)?"
_CLOCK_OF_12 = r"\d{1,2}[:.]\d{2}([:.]\d{2})? ?[AaPp]\.?[Mm]\.?"
_TAIL = rf"((T| |, ?){_TIME})?"
#: A time of day stands behind the date.
TIMED = r"[T ]\d{1,2}[:.]\d{2}"
NAMED_MONTHS, SERIAL = "month_names", "serial"
_TIMES = (
    "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p", "%H.%M", "%H.%M.%S",
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """``orders`` of day, month and year that it can stand for; ``short``: the year has two digits."""

    pattern: str
    separator: str = ""
    orders: tuple[str, ...] = ()
    short: bool = False


def _forms() -> dict[str, Form]:
    found = {"iso": Form(r"\d{4}-\d{1,2}-\d{1,2}([T ].*[0-9Zz])?")}
    for form, sign in (("slash", "/"), ("dash", "-"), ("dot", ".")):
        s = "\\" + sign
        found[form] = Form(rf"\d{{1,2}}{s}\d{{1,2}}{s}\d{{4}}{_TAIL}", sign, ("dmy", "mdy"))
        found[f"{form}_short"] = Form(rf"\d{{1,2}}{s}\d{{1,2}}{s}\d{{2}}{_TAIL}", sign, ("dmy", "mdy", "ymd"), True)
        after = _TAIL if sign != "-" else f"[T ]{_CLOCK_OF_12}"
        found[f"{form}_year"] = Form(rf"\d{{4}}{s}\d{{1,2}}{s}\d{{1,2}}{after}", sign, ("ymd",))
    day_first = r"\d{1,2}\.?[ -](de )?\p{L}{3,}\.?[ ,-] ?(de |del )?\d{4}"
    month_first = r"\p{L}{3,}\.? \d{1,2},? \d{4}"
    found[NAMED_MONTHS] = Form(rf"({day_first}|{month_first}){_TAIL}")
    found[SERIAL] = Form(r"\d{5}([.,]\d+)?")
    return found


FORMS = _forms()


def tail(value: str) -> str:
    """SQL of what stands behind the date."""
    return f"regexp_extract({value}, '[T ,].*$')"


def shape(value: str) -> str:
    """SQL of a text with every digit as 9: few of them stand for all of a column."""
    return f"translate({value}, '0123456789', '9999999999')"


def tails(examples: Iterable[str]) -> tuple[str, ...]:
    """The formats of times that read at least one of the examples; each begins with what joins it to the date."""
    examples = tuple(examples)
    known = [f"{joint}{time}" for time in _TIMES for joint in (" ", "T", ", ", ",")]
    return tuple(f for f in known if any(_reads(example, f) for example in examples))


def _reads(example: str, written: str) -> bool:
    try:
        datetime.strptime(example, written)  # noqa: DTZ007  only whether it fits is asked
    except ValueError:
        return False
    return True


def formats(order: str, form: Form, times: Iterable[str]) -> list[str]:
    """The strptime formats of a form in one order, with and without a time."""
    year = "%y" if form.short else "%Y"
    parts = {"d": "%d", "m": "%m", "y": year}
    day = form.separator.join(parts[letter] for letter in order)
    return [day, *(f"{day}{time}" for time in times)]


def of_number(value: str, named: str) -> tuple[str, bool]:
    """SQL of a moment from days or seconds, and whether it stands in UTC."""
    number = f"TRY_CAST(replace({value}, ',', '.') AS DOUBLE)"
    if named.startswith("unix"):
        seconds = f"{number} / 1000" if named == "unix-ms" else number
        return (
            f"CASE WHEN abs({seconds}) < 1e11 THEN make_timestamp(CAST(round({seconds} * 1000000) AS BIGINT)) END",
            True,
        )
    start = "1904-01-01" if named == "excel-1904" else "1899-12-30"
    fits = f"{number} >= 0 AND {number} < 2958466"
    return f"CASE WHEN {fits} THEN TIMESTAMP '{start}' + to_seconds(CAST(round({number} * 86400) AS BIGINT)) END", False


_MONTHS = (
    "jan january enero ene januar jän jänner gennaio gen",
    "feb february febrero februar febbraio",
    "mar march marzo märz mär mrz maerz",
    "apr april abril abr aprile",
    "may mayo mai maggio mag",
    "jun june junio juni giugno giu",
    "jul july julio juli luglio lug",
    "aug august agosto ago",
    "sep sept september septiembre set settembre",
    "oct october octubre okt oktober ottobre ott",
    "nov november noviembre novembre",
    "dec december diciembre dic dez dezember dicembre",
)


def of_month_names(value: str, times: Iterable[str]) -> str:
    """SQL of a moment from ``28 Feb 2025``, ``28. Februar 2025``, ``28 de febrero de 2025``, ``Feb 28, 2025``."""
    names = {name: i for i, line in enumerate(_MONTHS, 1) for name in line.split()}
    keys = ", ".join(map(sql.text, names))
    numbers = ", ".join(map(str, names.values()))
    word = f"lower(regexp_extract(replace({value}, ' de ', ' '), '\\p{{L}}{{3,}}'))"
    month = f"list_extract([{numbers}], list_position([{keys}], {word}))"
    day = f"regexp_extract({value}, '(^|[^0-9:.])(\\d{{1,2}})([^0-9:]|$)', 2)"
    year = f"regexp_extract({value}, '(\\d{{4}})', 1)"
    text = f"{day} || '/' || {month} || '/' || {year}"
    times = tuple(times)
    if not times:
        return f"try_strptime({text}, '%d/%m/%Y')"
    clock = f"regexp_extract({value}, '\\d{{4}}[T, ]+(.*)$', 1)"
    written = ", ".join(map(sql.text, ["%d/%m/%Y ", *(f"%d/%m/%Y {t.lstrip(' T,')}" for t in times)]))
    return f"try_strptime({text} || ' ' || {clock}, [{written}])"
