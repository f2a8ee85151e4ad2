"""Tables of the scorecard: a family's figures, and one KPI by segment."""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, TypeVar

from kpibook.present import cells
from kpibook.present.display import Display, paragraph, stack
from kpibook.present.formats import CLASSES, days_between, is_missing
from kpibook.present.grid import Column, Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kpibook.present.words import Words

AnyRow = TypeVar("AnyRow", bound=cells.Row)
Named = tuple[str, cells.Row, cells.Row | None]
#: A gap between people who chose to be different is an association, and is said to be one.
ASSOCIATIONS = ("avg_receipt_gap",)
ASSOCIATED_BY = ("member", "membership", "member_status", "with_card", "card", "identification")
MOST_SEGMENTS = 24
#: From so many on, segments without a figure are named below the table; so many by name, with so many reasons.
MOST_EMPTY, MOST_NAMED, MOST_REASONS = 3, 12, 3
#: From here on a reason stands once below the table, and its rows bear its number.
MOST_REPEATED = 3


def family_table(scorecard: pd.DataFrame, family: str, words: Words) -> Display:
    """Every headline figure of a family, with the comparison period where there is one."""
    pairs = cells.with_previous(cells.rows_of(scorecard, family=family))
    rows = [(r["title"], r, before) for r, before in pairs]
    associated = any(is_association(r) for r, _ in pairs)
    title, notes = _spans(pairs, words), _lengths(pairs, words)
    return _figures(f"{family}-figures", title, words("table.kpi"), rows, words, notes, associated=associated)


def is_association(row: cells.Row) -> bool:
    """The figure sets people beside others who chose to be different, by itself or by what it is broken down by."""
    by = row["segment_by"]
    return by in ASSOCIATED_BY or (by == "total" and row["kpi"] in ASSOCIATIONS)


def segment_table(scorecard: pd.DataFrame, kpi: str, segment_by: str, words: Words) -> Display:
    """One KPI by one breakdown; ``variant`` gives its further readings. Long lists keep the largest segments."""
    pairs = cells.with_previous(cells.rows_of(scorecard, segment_by, kpi=kpi))
    if not pairs:
        return Display("", "")
    kept = pairs
    if len(pairs) > MOST_SEGMENTS:
        sizes = sorted((-1.0 if is_missing(r["n"]) else float(r["n"]) for r, _ in pairs), reverse=True)
        kept = [p for p in pairs if not is_missing(p[0]["n"]) and p[0]["n"] >= sizes[MOST_SEGMENTS - 1]][:MOST_SEGMENTS]
    places = {id(row): i for i, row in enumerate(in_order([r for r, _ in kept]))}
    kept = sorted(kept, key=lambda p: places[id(p[0])])
    by = words.dimension(segment_by)
    title = words("table.by", title=pairs[0][0]["title"], by=by)
    rows: list[Named] = [(_row_name(segment_by, str(r["segment"]), words), r, before) for r, before in kept]
    notes = [words("table.more_segments", n=len(pairs) - len(kept))] if len(kept) < len(pairs) else []
    if segment_by != "variant":
        rows, empty = _without_empty(rows, words)
        notes += empty
    associated = segment_by in ASSOCIATED_BY
    return _figures(f"{kpi}-by-{segment_by}", title, by[:1].upper() + by[1:], rows, words, notes, associated=associated)


def _without_empty(rows: list[Named], words: Words) -> tuple[list[Named], list[str]]:
    """The rows but those of segments that have no figure in either period, and what to say of these by their status."""
    empty = [r for r in rows if not cells.is_shown(r[1]) and not cells.is_shown(r[2])]
    if len(empty) < MOST_EMPTY:
        return rows, []
    found: dict[str, dict[str, list[str]]] = {}
    for name, row, _ in empty:
        found.setdefault(str(row["status"]), {}).setdefault(cells.why_text(row, words), []).append(name)
    groups = []
    for status, by_reason in found.items():
        if len(by_reason) > MOST_REASONS:
            by_reason = {words("table.own_reasons"): [name for names in by_reason.values() for name in names]}
        groups += [(status, why, names) for why, names in by_reason.items()]
    told = []
    for status, why, names in groups:
        named = ", ".join(names[:MOST_NAMED])
        if len(names) > MOST_NAMED:
            named = words("table.and_more", names=named, n=len(names) - MOST_NAMED)
        said = words(f"status.{status}")
        told.append(words("table.empty_segments", status=said[:1].upper() + said[1:], names=named, why=why).strip())
    return [r for r in rows if not any(r is e for e in empty)], told


def _row_name(segment_by: str, segment: str, words: Words) -> str:
    """A reading begins with a capital, as others do, unless it begins with a symbol such as ``p``."""
    name = words.segment(segment_by, segment)
    speaks = segment_by == "variant" and len(name.split(" ")[0]) > 1
    return name[:1].upper() + name[1:] if speaks else name


def in_order(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Segments with an order of their own in it: usage classes, and bands such as ``under 15K``, ``15-24K``, ``250K+``.

    They are bands where most names begin with a number; a name without any follows. Others stay as they come.
    """
    names = [str(r["segment"]) for r in rows]
    if set(names) <= set(CLASSES):
        return sorted(rows, key=lambda r: CLASSES.index(str(r["segment"])))
    if 2 * sum(name[:1].isdigit() for name in names) <= len(names):
        return list(rows)
    return sorted(rows, key=lambda r: _band(str(r["segment"])))


def _band(name: str) -> tuple[bool, int, bool]:
    number = re.search(r"\d+", name)
    return number is None, int(number[0]) if number else 0, name[:1].isdigit()


def _spans(pairs: Sequence[tuple[cells.Row, cells.Row | None]], words: Words) -> str:
    if not pairs:
        return ""
    current = pairs[0][0]
    before = next((b for _, b in pairs if b is not None), None)
    name = words.period(current["period_start"], current["period_end"])
    if before is None:
        return name
    return words("table.spans", period=name, compared=words.period(before["period_start"], before["period_end"]))


def _lengths(pairs: Sequence[tuple[cells.Row, cells.Row | None]], words: Words) -> list[str]:
    """That a total of more days is larger, when such totals stand beside each other."""
    for row, before in pairs:
        if before is not None and cells.is_shown(row) and cells.is_shown(before) and cells.is_total(row):
            days, days_before = (days_between(r["period_start"], r["period_end"]) for r in (row, before))
            if days != days_before:
                return [words("table.lengths", current=days, previous=days_before)]
    return []


def _figures(
    table: str,
    title: str,
    first: str,
    rows: Sequence[Named],
    words: Words,
    notes: Sequence[str] = (),
    *,
    associated: bool = False,
) -> Display:
    if not rows:
        return stack([paragraph(title, "caption"), *(paragraph(note, "note") for note in notes)] if notes else [])
    compared = any(before is not None for _, _, before in rows)
    targets = any(not is_missing(r["target"]) for _, r, _ in rows)
    benchmarks = any(not is_missing(r["benchmark"]) for _, r, _ in rows)
    columns = [Column(first), Column(words("table.value"), True), Column(words("table.interval"), True)]
    columns += [Column(words("table.n"), True)]
    columns += [Column(words("table.previous"), True), Column(words("table.change"), True)] if compared else []
    columns += [Column(words("table.target"), True)] if targets else []
    columns += [Column(words("table.benchmark"), True)] if benchmarks else []
    reasons = {id(row): cells.why_text(row, words) for _, row, _ in rows}
    often = [why for why, times in Counter(reasons.values()).items() if why and times >= MOST_REPEATED]
    body = []
    for name, row, before in rows:
        why = reasons[id(row)]
        mark = f"<sup>{often.index(why) + 1}</sup>" if why in often else ""
        line = [cells.name_cell(name, "" if mark else why) + mark, cells.value_cell(row, words)]
        line += [cells.interval_cell(row, words), cells.n_cell(row, words)]
        line += [cells.value_cell(before, words), cells.change_cell(row, before, words)] if compared else []
        line += [cells.target_cell(row, words)] if targets else []
        line += [cells.benchmark_cell(row, words)] if benchmarks else []
        body.append(line)
    said = [f"{i} \u2013 {why}" for i, why in enumerate(often, 1)]
    said += [*notes, words("note.association")] if associated else list(notes)
    said += (
        [words("note.marks")] if any(cells.moved(r, before) and r["status"] == "ok" for _, r, before in rows) else []
    )
    grid = Grid(table, title, [Column(escape(c.label), c.numeric) for c in columns], body, said)
    return Display(grid.html(), "\n".join([title, *(_line(*r, words) for r in rows)]))


def _line(name: str, row: cells.Row, before: cells.Row | None, words: Words) -> str:
    parts = [f"{name}: {cells.value_text(row, words)}"]
    if row["status"] == "ok":
        parts.append(cells.interval_text(row, words))
    if cells.is_shown(before) and row["status"] == "ok" and not is_missing(row["change"]):
        parts.append(f"({cells.change_text(row, words)})")
    return " ".join(parts)
