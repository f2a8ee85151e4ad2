"""One way to make a table: great_tables for the markup, our style sheet for the looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
from great_tables import GT, html, loc
from great_tables import style as gt_style

from kpibook.present.display import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STYLE = re.compile(r"<style>.*?</style>\s*", re.DOTALL)
NOISE = re.compile(r' (?:data-quarto-[a-z-]+="[^"]*"|rowspan="1"|colspan="1")')


@dataclass(frozen=True)
class Column:
    """``numeric`` cells are aligned to the right."""

    label: str
    numeric: bool = False


@dataclass(frozen=True)
class Grid:
    """Cells are HTML, already escaped. ``shades[row, column]`` is a background with its text colour."""

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    shades: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)

    def html(self) -> str:
        """The table in a box that scrolls sideways on a phone; the first column names the rows."""
        names = [f"c{i}" for i in range(len(self.columns))]
        table = GT(
            pd.DataFrame([list(r) for r in self.rows], columns=names, dtype="object"),
            id=slug(self.id),
            rowname_col="c0",
        )
        labels = {name: html(c.label) for name, c in zip(names, self.columns, strict=True)}
        table = table.cols_label(labels).tab_stubhead(labels["c0"]).fmt(str, columns=names)
        for side, numeric in (("left", False), ("right", True)):
            table = table.cols_align(
                side, [n for n, c in zip(names, self.columns, strict=True) if c.numeric == numeric]
            )
        for (row, column), (back, front) in self.shades.items():
            paint = [gt_style.fill(back), gt_style.text(front)]
            table = table.tab_style(paint, loc.body(names[column], [row]))
        for note in self.notes:
            table = table.tab_source_note(html(escape(note)))
        return self._clean(table.as_raw_html())

    def _clean(self, raw: str) -> str:
        found = NOISE.sub("", STYLE.sub("", raw))
        found = re.sub(r'^<div id="[^"]*" style="[^"]*">', f'<div id="{slug(self.id)}" class="kb-scroll">', found)
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        return re.sub(r"(<table [^>]*>)", lambda m: m[1] + caption, found, count=1)
