"""``kpibook validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kpibook.errors import KpibookError


def command(
    report: Annotated[list[Path], typer.Argument(metavar="REPORT", help="Report folders.", show_default=False)],
) -> None:
    """The verdict goes into run.json; a report that does not hold is exit code 5."""
    from kpibook.report.light import light_imports

    light_imports()
    codes = [_one(path) for path in report]
    raise typer.Exit(max(codes))


def _one(path: Path) -> int:
    from kpibook.errors import NotValidError
    from kpibook.report.validate import validate

    folder = path.parent if path.is_file() else path
    try:
        verdict = validate(folder)
    except KpibookError as error:
        typer.echo(str(error), err=True)
        return error.exit_code
    for name in verdict.inputs_changed:
        typer.echo(f"{folder}: the input {name} is no longer the file the report was made from", err=True)
    for note in verdict.notes:
        typer.echo(f"{folder}: {note}", err=True)
    if not verdict.problems:
        typer.echo(f"{folder}: valid")
        return 0
    typer.echo(f"{folder}: not valid", err=True)
    for problem in verdict.problems:
        typer.echo(f"  {problem}", err=True)
    return NotValidError.exit_code
