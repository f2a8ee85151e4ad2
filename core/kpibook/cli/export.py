"""``kpibook export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report folder.", show_default=False)],
    to: Annotated[str, typer.Option(help="The forms, such as pdf,pptx,xlsx,summary.", show_default=False)],
    template: Annotated[
        Path | None, typer.Option(help="A presentation of the client's own for the slides.", show_default=False)
    ] = None,
) -> None:
    """The files stand in the report's folder and in its record; no figure is computed again."""
    from kpibook.exports.making import forms
    from kpibook.report.handover import export

    made = export(report, forms(to), template)
    for note in made.notes:
        typer.echo(note, err=True)
    for path in made.files:
        typer.echo(f"made {path}")
