"""The two chapters to look things up in, as tight as they can be read: computability and definitions."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from kpibook.present.cells import name_cell, records
from kpibook.present.display import Display, paragraph, stack
from kpibook.present.grid import Column, Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kpibook.present.words import Words

STATES = ("computable", "partly", "not")
#: Digits of a definition hash that a page shows; the scorecard has all.
HASH = 12


def computability_table(computability: pd.DataFrame, words: Words) -> Display:
    """Every KPI of the catalogue against this client's data: ``kpi, family, state, missing, reason``.

    What can be computed stands by family. The rest stands together by what is missing, that which would help most
    KPIs first.
    """
    rows = records(computability)
    counts = {s: sum(r["state"] == s for r in rows) for s in STATES}
    summary = words("computability.summary", n=len(rows), **counts)
    blocks = [paragraph(summary), _computable([r for r in rows if r["state"] == "computable"], words)]
    blocks.append(_lacking([r for r in rows if r["state"] != "computable"], words))
    return Display(_dense(stack(blocks).html), summary)


def definitions_table(definitions: pd.DataFrame, words: Words) -> Display:
    """What each figure means and whose it is: ``kpi, title, text, definition_hash, origin``.

    If there also the ``question`` that it answers, ``needs`` and ``unit``.
    KPIs whose ``shown`` is False have no figure in the report: they are listed below with hash and origin.
    """
    rows = records(definitions)
    shown = [r for r in rows if r.get("shown") is not False]
    others = [r for r in rows if r.get("shown") is False]
    columns = ["table.kpi", "definitions.text", "definitions.hash"]
    body = [_defined(r, words) for r in shown]
    heads = [Column(escape(words(c))) for c in columns]
    grid = Grid("definitions", words("definitions.title"), heads, body, [words("definitions.note")])
    lines = [f"{r['kpi']} {_hash(r)} {r['origin']}" for r in rows]
    html = (grid.html() if body else "") + _others(others, words)
    return Display(_dense(html), "\n".join([words("definitions.title"), *lines]))


def _computable(rows: Sequence[dict[str, Any]], words: Words) -> Display:
    if not rows:
        return Display("", "")
    families: dict[str, list[str]] = {}
    for r in rows:
        families.setdefault(str(r["family"]), []).append(_name(r))
    body = [[escape(words.family(family)), "; ".join(names)] for family, names in families.items()]
    heads = [Column(escape(words("computability.family"))), Column(escape(words("computability.computable_kpis")))]
    return Display(Grid("computable", words("computability.title"), heads, body).html(), "")


def _lacking(rows: Sequence[dict[str, Any]], words: Words) -> Display:
    if not rows:
        return Display("", "")
    groups: dict[tuple[str, str], list[str]] = {}
    for r in rows:
        ask = _missing(_listed(r["missing"])) or escape(words.reason(r["reason"] or ""))
        groups.setdefault((r["state"], ask), []).append(_name(r))
    ordered = sorted(groups.items(), key=lambda g: (STATES.index(g[0][0]), -len(g[1])))
    body = [[ask, _nowrap(words(f"computability.{state}")), "; ".join(names)] for (state, ask), names in ordered]
    heads = [
        Column(escape(words(c))) for c in ("computability.ask", "computability.state", "computability.lacking_kpis")
    ]
    return Display(Grid("computability", words("computability.lacking_title"), heads, body).html(), "")


def _nowrap(text: str) -> str:
    return f'<span class="kb-nb">{escape(text)}</span>'


def _missing(names: Sequence[str]) -> str:
    """``order_lines: cogs, gross_amount``, one table after the other."""
    tables: dict[str, list[str]] = {}
    for name in names:
        table, _, column = name.partition(".")
        tables.setdefault(table, []).extend([column] if column else [])
    parts = [f"{table}: {', '.join(columns)}" if columns else table for table, columns in tables.items()]
    return "; ".join(f"<code>{breakable(part)}</code>" for part in parts)


def _defined(row: dict[str, Any], words: Words) -> list[str]:
    needs = _listed(row.get("needs"))
    unit = row.get("unit")
    said = [words("definitions.unit", unit=words.unit_name(unit))] if unit else []
    said += [words("definitions.needs", list=_plain(needs))] if needs else []
    mark = f"<code>{escape(_hash(row))}</code>"
    below = f'<span class="kb-sub">{escape(str(row["origin"]))}</span>'
    name = name_cell(str(row["title"]), str(row.get("question") or ""), str(row["kpi"]))
    return [name, name_cell(str(row["text"]), " ".join(said)), mark + below]


def _others(rows: Sequence[dict[str, Any]], words: Words) -> str:
    if not rows:
        return ""
    items = [
        f"<li>{escape(str(r['title']))} <code>{escape(str(r['kpi']))} {escape(_hash(r))}</code> "
        f'<span class="kb-off">{escape(str(r["origin"]))}</span></li>'
        for r in rows
    ]
    return f'<p>{escape(words("definitions.others", n=len(rows)))}</p><ul class="kb-columns">{"".join(items)}</ul>'


def _plain(names: Sequence[str]) -> str:
    tables: dict[str, list[str]] = {}
    for name in names:
        table, _, column = name.partition(".")
        tables.setdefault(table, []).append(column)
    return "; ".join(f"{table} ({', '.join(columns)})" for table, columns in tables.items())


def _name(row: dict[str, Any]) -> str:
    return escape(str(row.get("title") or row["kpi"]))


def _hash(row: dict[str, Any]) -> str:
    return str(row["definition_hash"])[:HASH]


def _dense(html: str) -> str:
    return f'<div class="kb-dense">{html}</div>'


def breakable(name: str) -> str:
    """A long ``table.column`` that may wrap at its joints."""
    return escape(name).replace("_", "_<wbr>").replace(".", ".<wbr>")


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [] if value is None else [str(v) for v in value]
