"""``kpibook admit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    target: Annotated[
        Path, typer.Argument(metavar="FILE_OR_PACK", help="A KPI file, or a pack's folder.", show_default=False)
    ],
) -> None:
    """What passes is recorded in admitted.json beside it; what is to be mended is exit code 2."""
    from kpibook.errors import PluginError
    from kpibook.kit.admit import admit

    verdict = admit(target)
    for note in verdict.notes:
        typer.echo(note)
    for kpi in verdict.admitted:
        typer.echo(f"{kpi}: admitted")
    if verdict.problems:
        raise PluginError(verdict.problems)
