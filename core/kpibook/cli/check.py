"""``kpibook check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kpibook.cli.progress import reading

if TYPE_CHECKING:
    from kpibook.intake import Intake
    from kpibook.params import Params


def command(
    params: Annotated[Path, typer.Argument(metavar="PARAMS", help="The client's params file.", show_default=False)],
) -> None:
    """Nothing is computed and nothing is written; data that are refused are exit code 3."""
    from kpibook import book, intake
    from kpibook.params import load
    from kpibook.plugins import discover

    client = load(params)
    discovered = discover(client.plugins)
    for problem in discovered.broken:
        typer.echo(str(problem), err=True)
    with reading() as tell:
        found = intake.load(client, tell=tell)
    typer.echo("\n".join(findings(found, client)))
    typer.echo("\n".join(matrix(book.computability(discovered.catalog, found, client), client)))


def findings(found: Intake, params: Params) -> list[str]:
    """Tables with their rows, then each finding, the gravest first."""
    from kpibook.present.audit_tables import finding_text
    from kpibook.present.words import Words

    words = Words(params.language, params.currency)
    lines = [f"{facts.name}: {words.number(facts.rows, 0)}" for facts in found.facts.values() if facts.rows]
    for finding in sorted(found.findings, key=lambda f: f.order):
        place = f"{finding.table}.{finding.column}" if finding.column else finding.table
        rows = f" ({words('quality.of', rows=finding.rows, of_rows=finding.of_rows)})" if finding.rows else ""
        lines.append(f"{words(f'severity.{finding.severity}')}  {place}: {finding_text(finding, words)}{rows}")
    return lines


def matrix(computability: Any, params: Params) -> list[str]:
    """One line a KPI that cannot be computed in full, after how many can."""
    from kpibook.present.words import Words

    words = Words(params.language, params.currency)
    rows = computability.to_dict("records")
    counts = {state: sum(row["state"] == state for row in rows) for state in ("computable", "partly", "not")}
    lines = [words("computability.summary", n=len(rows), **counts)]
    for row in rows:
        if row["state"] != "computable":
            why = ", ".join(row["missing"]) or words.reason(row["reason"])
            lines.append(f"{words('computability.' + row['state'])}  {row['kpi']}: {why}")
    return lines
