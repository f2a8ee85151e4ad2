"""One figure of the scorecard in words: value, interval, n, comparison, target. All cells are escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from kpibook.present.formats import GRAINS, NONE, as_day, days_between, is_missing

if TYPE_CHECKING:
    import pandas as pd

    from kpibook.present.words import Words

Row = Mapping[str, Any]
SHOWN = ("ok", "bounded")
#: Rates per year among those who did it at least once: a person's one purchase is more a year, the shorter the window.
AMONG_ACTIVE = ("purchase_frequency",)
#: Windows that differ by no more than this part, such as halves of a year, are equally long for these.
NEARLY = 0.05


def rows_of(scorecard: pd.DataFrame, segment_by: str = "total", **where: str) -> list[dict[str, Any]]:
    """Rows of one breakdown as records, in the scorecard's order."""
    frame = scorecard[scorecard["segment_by"] == segment_by]
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return records(frame)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain records: whatever kind of missing a frame holds becomes None."""
    rows = frame.to_dict("records")
    return [{str(k): v if hasattr(v, "__len__") or not is_missing(v) else None for k, v in r.items()} for r in rows]


def with_previous(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each current row beside that of the comparison period."""
    before = {(r["kpi"], r["segment"]): r for r in rows if r["period"] == "previous"}
    return [(r, before.get((r["kpi"], r["segment"]))) for r in rows if r["period"] == "current"]


def is_shown(row: Row | None) -> bool:
    """The value may be printed."""
    return row is not None and row["status"] in SHOWN


def digits_of(row: Row, words: Words) -> int:
    return words.digits(row["unit"], row["value"], row["low"], row["high"])


def value_text(row: Row, words: Words) -> str:
    """The value, the range of a bounded figure, or the status in words."""
    if row["status"] == "bounded" and row["low"] is not None and row["low"] == row["high"]:
        return words.value(row["low"], row["unit"])
    if row["status"] == "bounded":
        return words.between(row["low"], row["high"], row["unit"])
    if row["status"] == "ok":
        return words.value(row["value"], row["unit"], digits_of(row, words))
    return words(f"status.{row['status']}")


def value_cell(row: Row | None, words: Words) -> str:
    if row is None:
        return NONE
    text = escape(value_text(row, words))
    return text if row["status"] == "ok" else f'<span class="kb-off">{text}</span>'


def is_total(row: Row) -> bool:
    """The figure is a sum or a count: complete in its period, and as large as the period is long."""
    return not is_missing(row["value"]) and row["numerator"] == row["value"] and is_missing(row["denominator"])


def is_exact(row: Row) -> bool:
    """Nothing is sampled: a total, or a ratio of totals, whose interval has no width.

    The ends of a quantile may fall together as well, on values that many share: that interval is one.
    """
    known = not is_missing(row["low"]) and row["low"] == row["high"] == row["value"]
    return known and (is_total(row) or not is_missing(row["denominator"]))


def interval_text(row: Row, words: Words) -> str:
    """The interval beside the value; the word for it where the figure is exact."""
    exact = is_exact(row)
    return words.interval(row["low"], row["high"], row["unit"], digits_of(row, words), exact=exact)


def interval_cell(row: Row, words: Words) -> str:
    return escape(interval_text(row, words)) if row["status"] == "ok" else NONE


def n_cell(row: Row, words: Words) -> str:
    """The number of cases; nothing where even that would point at persons."""
    return NONE if row["reason"] and "reason.privacy" in row["reason"] else words.number(row["n"])


def unequal(row: Row, previous: Row | None) -> tuple[int, int] | None:
    """Days of the two windows of a figure that grows with its window, where they differ; else None.

    Such are sums, counts, sums per person, what follows persons from one period into the next (``looks_back`` is
    ``before``), and rates among those who were active, once windows differ by more than NEARLY. A window of the
    KPI's own is equally long in both periods; the same days of another year are taken as equally long in leap years.
    """
    if previous is None or row["segment_by"] in GRAINS:
        return None
    window = row.get("looks_back") or ""
    grows = window == "before" or (not window and _grows(row))
    if not (grows or row["kpi"] in AMONG_ACTIVE):
        return None
    if _days_of_year(row) == _days_of_year(previous):
        return None
    days = tuple(days_between(r["period_start"], r["period_end"]) for r in (row, previous))
    least = 0.0 if grows else NEARLY * max(days)
    return (days[0], days[1]) if abs(days[0] - days[1]) > least else None


def _grows(row: Row) -> bool:
    """A sum, a count, or a sum per person: all that happened in the window."""
    per_person = row["unit"] != "percent" and not is_missing(row["denominator"]) and row["denominator"] == row["n"]
    return is_total(row) or per_person


def _days_of_year(row: Row) -> tuple[int, ...]:
    first, after = as_day(row["period_start"]), as_day(row["period_end"]) + timedelta(days=1)
    return (first.month, first.day, after.month, after.day, after.year - first.year)


def moved(row: Row, previous: Row | None = None) -> int | None:
    """1 or -1 when the interval of the change leaves zero out, else 0; None when it has none or windows differ."""
    if unequal(row, previous) or is_missing(row["change_low"]) or is_missing(row["change_high"]):
        return None
    return int(row["change_low"] > 0) - int(row["change_high"] < 0)


def change_text(row: Row, words: Words) -> str:
    digits = words.digits(row["unit"], row["change"], row["change_low"], row["change_high"])
    return words.change(row["change"], row["unit"], digits)


def change_cell(row: Row, previous: Row | None, words: Words) -> str:
    """Marked only when the interval leaves zero out, coloured only when one direction is the better one.

    A change between windows of different lengths is neither: it is said not to be comparable.
    """
    if row["status"] != "ok" or previous is None or previous["status"] != "ok" or is_missing(row["change"]):
        return NONE
    digits = words.digits(row["unit"], row["change"], row["change_low"], row["change_high"])
    text = escape(words.change(row["change"], row["unit"], digits))
    windows = unequal(row, previous)
    if windows:
        said = words("change.not_comparable", current=windows[0], previous=windows[1])
        return f'<span class="kb-off">{text}</span><span class="kb-sub">{escape(said)}</span>'
    sign = moved(row)
    if sign:
        arrow, said = ("\u25b2", "change.up") if sign > 0 else ("\u25bc", "change.down")
        text = f'<span aria-hidden="true">{arrow}</span><span class="kb-sr">{escape(words(said))}</span>\u00a0{text}'
        good = {"higher": sign > 0, "lower": sign < 0}.get(row["better"])
        if good is not None:
            text = f'<span class="kb-{"good" if good else "bad"}">{text}</span>'
    around_it = [row[name] for name in ("change_low", "change_high") if not is_missing(row[name])]
    if around_it and set(around_it) != {row["change"]}:
        around = words.interval(row["change_low"], row["change_high"], row["unit"], digits, signed=True)
        text += f'<span class="kb-sub">{escape(around)}</span>'
    return text


def target_cell(row: Row, words: Words) -> str:
    if is_missing(row["target"]) or row["target_state"] in ("none", "", None):
        return NONE
    state = row["target_state"] if row["status"] == "ok" else "none"
    tone = {"met": "kb-good", "missed": "kb-bad"}.get(state, "")
    aim = escape(words.value(row["target"], row["unit"]))
    return f'{aim}<span class="kb-sub {tone}">{escape(words(f"target.{state}"))}</span>'


def benchmark_cell(row: Row, words: Words) -> str:
    if is_missing(row["benchmark"]):
        return NONE
    aim = escape(words.value(row["benchmark"], row["unit"]))
    said = "" if row["benchmark_comparable"] else words("benchmark.not_comparable")
    return f'{aim}<span class="kb-sub">{escape(said)}</span>' if said else aim


def why_text(row: Row, words: Words) -> str:
    """Why a figure is not shown, or what must be known to read it."""
    return words.reason(row["reason"] or "", row["unit"])


def name_cell(name: str, *below: str) -> str:
    """A row's name with what must be said under it."""
    return escape(name) + "".join(f'<span class="kb-sub">{escape(text)}</span>' for text in below if text)
