"""``kpibook kpis``."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpibook.errors import ParamsError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpibook.tracing import Resolved


def command(
    kpi: Annotated[str | None, typer.Argument(help="One KPI's id.", show_default=False)] = None,
    params: Annotated[Path | None, typer.Option(help="Count in this client's plugins and settings.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the list as a Markdown table.")] = False,
) -> None:
    """Without a KPI: id, title, unit, hash and origin of each."""
    found = _found(params)
    if kpi is None:
        typer.echo(table(found) if markdown else listing(found))
    elif kpi in found:
        typer.echo(described(found[kpi]))
    else:
        raise ParamsError(Problem("command line", f"there is no KPI '{kpi}'", _remedy(kpi, found, params)))


def _remedy(kpi: str, found: Collection[str], params: Path | None) -> str:
    """The list is too long for a message, and without a client it lacks the KPIs in its folder."""
    near = get_close_matches(kpi, sorted(found), n=1)
    if params is not None:
        return f"did you mean '{near[0]}'?" if near else "see the list of kpibook kpis --params PARAMS"
    said = f"did you mean '{near[0]}'?" if near else "see the list of kpibook kpis."
    return f"{said} One of your own is found with --params PARAMS"


def _found(path: Path | None) -> dict[str, Resolved]:
    from kpibook.params import load
    from kpibook.plugins import discover

    params = load(path) if path else None
    discovered = discover(params.plugins if params else None)
    for problem in discovered.broken:
        typer.echo(str(problem), err=True)
    if params is None:
        return dict(discovered.catalog.resolve().kpis)
    where = partial(params.where, "settings")
    return dict(discovered.catalog.resolve(params.settings, where).kpis)


def listing(found: dict[str, Resolved]) -> str:
    """One line a KPI, in columns."""
    rows = [(r.id, r.definition.title, r.definition.unit, r.hash[:12], r.origin) for r in found.values()]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(5)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def table(found: dict[str, Resolved]) -> str:
    """The list as Markdown, in the order of the catalogue."""
    lines = ["| KPI | Title | Definition | Unit |", "|---|---|---|---|"]
    for resolved in found.values():
        definition = resolved.definition
        text = definition.text.replace("|", "\\|")
        lines.append(f"| `{definition.id}` | {definition.title} | {text} | {definition.unit} |")
    return "\n".join(lines)


def described(resolved: Resolved) -> str:
    """Everything about one KPI."""
    definition = resolved.definition
    lines = [
        f"{definition.id}: {definition.title}",
        *([f"  question    {definition.question}"] if definition.question else []),
        f"  definition  {definition.text}",
        f"  family      {definition.family}",
        f"  unit        {definition.unit} (better: {definition.better})",
    ]
    lines += [f"  reads       {name}: {', '.join(sorted(columns))}" for name, columns in sorted(resolved.needs.items())]
    lines += [f"  setting     {name} = {value!r}" for name, value in sorted(resolved.settings.items())]
    lines += [f"  hash        {resolved.hash}", f"  origin      {resolved.origin}, {definition.where}"]
    if resolved.failure:
        lines.append(f"  fails       {resolved.failure}")
    return "\n".join(lines)
