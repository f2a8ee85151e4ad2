"""``kpibook new-pack``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The distribution's name.", show_default=False)],
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where to.")] = Path(),
) -> None:
    """It has a pyproject.toml with the entry point, a KPI, its test and catalogues for its words."""
    from kpibook.kit import names, scaffold

    made = scaffold.new_pack(folder, names.pack(name))
    typer.echo("\n".join(str(path) for path in made))
    typer.echo(f"next: kpibook admit {folder / name}")
