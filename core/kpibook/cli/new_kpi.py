"""``kpibook new-kpi``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The KPI's id.", show_default=False)],
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where to.")] = Path("kpi_plugins"),
) -> None:
    """Both files can be run as they are; nothing is written over."""
    from kpibook.kit import names, scaffold
    from kpibook.plugins import discover

    known = frozenset(discover().catalog.definitions)
    made = scaffold.new_kpi(folder, names.kpi(name, known))
    typer.echo("\n".join(str(path) for path in made))
    typer.echo(f"next: kpibook admit {made[0]}")
