"""``kpibook export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report folder.", show_default=False)],
    to: Annotated[str, typer.Option(help="The forms, such as pdf,xlsx.", show_default=False)],
) -> None:
    """The files stand in the report's folder and in its record; no figure is computed again."""
    from kpibook.exports.making import forms
    from kpibook.report.handover import export

    for path in export(report, forms(to)):
        typer.echo(f"made {path}")
