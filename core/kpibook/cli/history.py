"""``kpibook history``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpibook.past import PastRun


def command(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="As in its params.", show_default=False)],
    kpi: Annotated[str | None, typer.Option(help="The figures of one KPI instead.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The reports folder.")] = Path("reports"),
) -> None:
    """By period, the oldest first; a report whose place another one took is kept, and listed, too."""
    from kpibook.past import finished

    found = finished(out, client)
    if not found:
        typer.echo(f"{client}: no finished report")
        return
    typer.echo(listed(found) if kpi is None else figures(found, kpi))


def listed(found: Sequence[PastRun]) -> str:
    """One line a run."""
    lines = [("period", "run", "finished", "state", "folder")]
    for past in found:
        record = past.record
        state = record.state.replace("_", " ") + (", draft" if record.draft else "")
        state += "" if past.in_place else ", replaced"
        lines.append((record.period, record.run_id, record.finished or "", state, str(past.folder)))
    return columns(lines)


def figures(found: Sequence[PastRun], kpi: str) -> str:
    """One line a run: value, interval and n of a KPI over its whole period. Raises ParamsError for an unknown one."""
    import pandas as pd

    from kpibook.errors import ParamsError, Problem, did_you_mean
    from kpibook.results import load

    lines, known, hashes = [("period", "run", "value", "low", "high", "n", "status", "definition")], set[str](), []
    for past in found:
        card = load(past.folder)
        known |= set(card["kpi"])
        total = (card["period"] == "current") & (card["segment_by"] == "total")
        for row in card[(card["kpi"] == kpi) & total].to_dict("records"):
            numbers = ("" if pd.isna(row[name]) else f"{row[name]:.10g}" for name in ("value", "low", "high", "n"))
            hashes.append(row["definition_hash"])
            lines.append((past.record.period, past.record.run_id, *numbers, row["status"], row["definition_hash"][:12]))
    if kpi not in known:
        raise ParamsError(Problem("command line", f"no report holds a KPI '{kpi}'", did_you_mean(kpi, known)))
    note = "\nnot one definition: figures of different definitions are not compared" if len(set(hashes)) > 1 else ""
    return columns(lines) + note


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Cells under each other, two spaces apart."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)
