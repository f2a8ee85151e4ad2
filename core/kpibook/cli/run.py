"""``kpibook run``."""

from __future__ import annotations

import sys
import traceback
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpibook.cli.progress import told
from kpibook.errors import KpibookError, ParamsError, Problem
from kpibook.runs import FINISHED, UNPROVED, VALID

if TYPE_CHECKING:
    from kpibook.params import Params
    from kpibook.report.run import Outcome


def command(
    params: Annotated[
        list[Path], typer.Argument(metavar="PARAMS", help="One params file or many.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="The reports folder.")] = Path("reports"),
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many clients at once.")] = 1,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The day on which moving periods are read; else today."),
    ] = None,
    proof: Annotated[
        bool, typer.Option("--proof/--no-proof", help="Compute each report a second time, or leave that to validate.")
    ] = True,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute everything anew, and keep nothing.")] = False,
) -> None:
    """The highest of the clients' exit codes is the command's."""
    from kpibook.report.light import light_imports
    from kpibook.schedule import run_many

    light_imports()
    readable, codes = _load(params, _day(as_of) if as_of else None)
    if readable:
        clients = {p.client: p for p in readable}

        def ended(outcome: Outcome) -> None:
            for line in assumed(outcome, clients[outcome.client]):
                typer.echo(f"{outcome.client}: {line}")
            _tell(outcome)

        with told(len(readable), jobs) as progress:
            cache = not no_cache
            outcomes = run_many(readable, jobs, out, progress.step, lambda one: progress.end(one, ended), proof, cache)
        codes += [outcome.code for outcome in outcomes]
    raise typer.Exit(max(codes))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        what, remedy = f"--as-of: '{text}' is not a day", "write one such as 2024-03-02"
        raise ParamsError(Problem("command line", what, remedy)) from None


def _load(paths: list[Path], as_of: date | None) -> tuple[list[Params], list[int]]:
    """All params files are read before anything starts; what is wrong with one does not stop the others."""
    from kpibook import params

    readable, codes = [], []
    for path in paths:
        try:
            readable.append(params.load(path, as_of))
        except KpibookError as error:
            typer.echo(str(error), err=True)
            codes.append(error.exit_code)
    return readable, codes


def _tell(outcome: Outcome) -> None:
    where = _near(outcome.folder) if outcome.folder else None
    for problem in outcome.broken_packs:
        typer.echo(f"{outcome.client}: without {problem}", err=True)
    for note in outcome.notes:
        typer.echo(f"{outcome.client}: {note}", err=True)
    for failure in outcome.failed_kpis:
        typer.echo(f"{outcome.client}: KPI failed: {failure}", err=True)
    if outcome.state in (VALID, UNPROVED):
        _tell_made(outcome, where)
    else:
        _tell_failed(outcome, where)


def _tell_made(outcome: Outcome, where: Path | None) -> None:
    for line in outcome.message.splitlines():
        typer.echo(f"{outcome.client}: {line}", err=True)
    state = "made, not proved yet" if outcome.state == UNPROVED else "valid"
    state += ", but a draft: serious findings in the data" if outcome.draft else ""
    typer.echo(f"{outcome.client}: {state}, {outcome.seconds:.0f} s: {where}/report.html")


def _tell_failed(outcome: Outcome, where: Path | None) -> None:
    if outcome.fault:
        traceback.print_exception(outcome.fault, file=sys.stderr)
    typer.echo(f"{outcome.client}: {outcome.state.replace('_', ' ')}", err=True)
    for line in outcome.message.splitlines():
        typer.echo(f"  {line}", err=True)
    if where and outcome.state == "not_valid":
        typer.echo(f"  made, and not to be used: {where}/report.html", err=True)
        if outcome.previous:
            typer.echo(f"  the report before it: {_near(outcome.previous)}", err=True)
    elif where:
        typer.echo(f"  evidence: {where}", err=True)


def assumed(outcome: Outcome, client: Params) -> list[str]:
    """What reading the client's files assumed, as the report's ``quality.json`` has it."""
    import json
    from dataclasses import fields

    from kpibook.intake.facts import Finding
    from kpibook.present.audit_tables import finding_text
    from kpibook.present.words import Words

    path = outcome.folder / "quality.json" if outcome.folder else None
    if outcome.state not in FINISHED or path is None or not path.is_file():
        return []
    words = Words(client.language, client.currency)
    said = json.loads(path.read_text("utf-8")).get("findings", ())  # a template of one's own may save none
    known = [field.name for field in fields(Finding)]
    found = [Finding(**{**{name: each[name] for name in known}, "examples": ()}) for each in said]
    return [f"{f.place}: {finding_text(f, words)}" for f in found if f.is_reading]


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
