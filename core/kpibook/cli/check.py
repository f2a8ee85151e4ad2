"""``kpibook check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kpibook.cli.progress import reading
from kpibook.errors import ParamsError, Problem

if TYPE_CHECKING:
    from kpibook.intake import Finding, Intake
    from kpibook.params import Params
    from kpibook.present.words import Words


def command(
    params: Annotated[Path, typer.Argument(metavar="PARAMS", help="The client's params file.", show_default=False)],
    kpis: Annotated[bool, typer.Option("--kpis", help="Name every KPI that can be computed.")] = False,
    letter: Annotated[bool, typer.Option("--letter", help="Write the letter that asks the client for data.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the letter goes; else it is printed.")
    ] = None,
) -> None:
    """Nothing is computed, and nothing but a letter is written; data that are refused are exit code 3."""
    from kpibook import asked, book, intake
    from kpibook.params import load
    from kpibook.plugins import discover

    if out is not None and not letter:
        raise ParamsError(
            Problem("command line", "--out says where a letter goes, and none is asked for", "add --letter")
        )
    client = load(params)
    discovered = discover(client.plugins)
    for problem in discovered.broken:
        typer.echo(str(problem), err=True)
    asked.resolved(discovered.catalog, client)
    with reading() as tell:
        found = intake.load(client, tell=tell)
    if letter:
        _write(book.letter(discovered.catalog, found, client), out)
        return
    typer.echo("\n".join(findings(found, client)))
    typer.echo("\n".join(matrix(book.computability(discovered.catalog, found, client), client, named=kpis)))


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise ParamsError(Problem(str(out), what, "name a file in a folder that is there")) from None


def findings(found: Intake, params: Params) -> list[str]:
    """Tables with their rows; what reading assumed; the other findings, the gravest first; what is routine, in brief.

    Columns that were not supplied are one line a table, checks that passed are counted: ``quality.json`` has them all.
    """
    from kpibook.present.words import Words

    words = Words(params.language, params.currency)
    lines = [f"{facts.name}: {words.number(facts.rows, 0)}" for facts in found.facts.values() if facts.rows]
    in_order = sorted(found.findings, key=lambda f: f.order)
    read = [f for f in in_order if f.is_reading]
    if read:
        lines += [words("check.reading"), *(f"  {_line(finding, words)}" for finding in read)]
    others = [f for f in in_order if f.rule != "assumed" and not f.is_reading]
    lines += [_line(finding, words) for finding in others if finding.severity != "green"]
    taken: dict[str, list[str]] = {}
    for finding in in_order:
        if finding.rule == "assumed":
            taken.setdefault(finding.table, []).append(f"{finding.column} = {finding.details['value']}")
    said = words("severity.info")
    lines += [f"{said}  {table}: {words('check.assumed', list=', '.join(each))}" for table, each in taken.items()]
    passed = sum(finding.severity == "green" for finding in others)
    return [*lines, f"{words('severity.green')}  {words('check.passed', n=passed)}"] if passed else lines


def _line(finding: Finding, words: Words) -> str:
    from kpibook.present.audit_tables import finding_text

    rows = f" ({words('quality.of', rows=finding.rows, of_rows=finding.of_rows)})" if finding.rows else ""
    return f"{words(f'severity.{finding.severity}')}  {finding.place}: {finding_text(finding, words)}{rows}"


def matrix(computability: Any, params: Params, *, named: bool = False) -> list[str]:
    """How many KPIs can be computed, by family (``named``: each of them), and one line a KPI that cannot in full."""
    from kpibook.present.words import Words

    words = Words(params.language, params.currency)
    rows = computability.to_dict("records")
    counts = {state: sum(row["state"] == state for row in rows) for state in ("computable", "partly", "not")}
    lines = [words("computability.summary", n=len(rows), **counts)]
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        able = [row for row in own if row["state"] == "computable"]
        lines.append(f"  {words('check.family', family=words.family(family), able=len(able), n=len(own))}")
        lines += [f"    {row['kpi']}: {row['title']}" for row in able if named]
    for row in rows:
        if row["state"] != "computable":
            why = ", ".join(row["missing"]) or words.reason(row["reason"])
            lines.append(f"{words('computability.' + row['state'])}  {row['kpi']}: {why}")
    return lines
