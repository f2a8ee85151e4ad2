"""``kpibook verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kpibook.errors import NotValidError


def command(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report folder.", show_default=False)],
) -> None:
    """Nothing is computed again and nothing written; what is not as it should be is exit code 5."""
    from kpibook.report.verify import verify

    problems = verify(report)
    if problems:
        raise NotValidError(problems)
    typer.echo(f"{report}: as its run left it, and one number wherever a KPI is shown")
