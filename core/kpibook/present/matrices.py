"""Tables with two ways in: cohorts by age, RFM cells, moves between classes."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from kpibook.model import TABLES
from kpibook.present.cells import records
from kpibook.present.display import Display
from kpibook.present.formats import CLASSES, NONE, as_day, is_missing
from kpibook.present.grid import Column, Grid
from kpibook.present.palette import shade
from kpibook.present.words import Words, is_month

if TYPE_CHECKING:
    import pandas as pd


STAGES = TABLES["funnel_events"].columns["stage"].values


def matrix_table(
    matrix: pd.DataFrame,
    words: Words,
    *,
    name: str,
    title: str,
    unit: str = "percent",
    corner: str = "",
    rows: str = "row",
    columns: str = "column",
    value: str = "value",
) -> Display:
    """A long table as a shaded matrix. A cell whose ``status`` is not ``ok`` is a dot: too few cases to show."""
    cells = {(key(r[rows]), key(r[columns])): r for r in records(matrix)}
    if not cells:
        return Display("", "")
    downs, acrosses = (ordered(matrix[c]) for c in (rows, columns))
    highest = max((abs(float(r[value])) for r in cells.values() if _shown(r, value)), default=1.0) or 1.0
    body, shades, hidden, lines = [], {}, 0, [title]
    for i, down in enumerate(downs):
        line = []
        for j, across in enumerate(acrosses):
            cell = cells.get((down, across))
            if cell is not None and _shown(cell, value):
                line.append(escape(words.bare(cell[value], unit)))
                shades[i, j + 1] = shade(abs(float(cell[value])) / highest)
            else:
                withheld = cell is not None and cell.get("status") == "low_n"
                hidden += withheld
                line.append("\u00b7" if withheld else "")
        label = words.segment(rows, down)
        body.append([escape(label), *line])
        lines.append(f"{label}: {' | '.join(text or NONE for text in line)}")
    heads = [Column(escape(corner or _corner(downs, acrosses, words)))]
    heads += [Column(escape(words.segment(columns, a)), numeric=True) for a in acrosses]
    notes = [words("table.darker"), *([words("table.hidden_cells", n=hidden)] if hidden else [])]
    grid = Grid(f"{name}-matrix", words("table.matrix", title=title), heads, body, notes, shades)
    return Display(f'<div class="kb-matrix">{grid.html()}</div>', "\n".join(lines))


def _corner(downs: list[str], acrosses: list[str], words: Words) -> str:
    """Months by age are cohorts, by anything else months; usage classes by a number stand by their days of silence."""
    by_age = all(label.isdigit() for label in acrosses)
    if by_age and set(downs) <= set(CLASSES):
        days = words.dimension("group_by_days")
        return days[:1].upper() + days[1:]
    name = words.dimension(("cohort" if by_age else "month") if all(is_month(x) for x in downs) else "group")
    return name[:1].upper() + name[1:]


def _shown(cell: Any, value: str) -> bool:
    return not is_missing(cell[value]) and cell.get("status", "ok") == "ok"


def ordered(labels: pd.Series) -> list[str]:
    """In the table's own order; numbers, months and codes such as M10 by size, because 10 follows 9."""
    found = list(dict.fromkeys(key(x) for x in labels))
    for known in (CLASSES, STAGES):
        if set(found) <= set(known):
            return sorted(found, key=known.index)
    if all(x.isdigit() for x in found):
        return sorted(found, key=int)
    if all(any(c.isdigit() for c in x) for x in found):
        return sorted(found, key=lambda x: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", x)])
    return found


def key(label: Any) -> str:
    """A label as text: the first of a month is that month, 3.0 is 3."""
    if hasattr(label, "isoformat"):
        day = as_day(label)
        return f"{day:%Y-%m}" if day.day == 1 else day.isoformat()
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
