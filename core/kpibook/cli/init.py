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
    from kpibook.report import packaged

    made, kept = 0, []
    for name in packaged.workspace_files():
        target = folder / name
        if target.exists():
            kept.append(name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packaged.root() / name, target)
        made += 1
    typer.echo(f"{folder}: {made} files made" + (f", {len(kept)} kept as they were" if kept else ""))
    typer.echo(f"next: cd {folder} && kpibook run params/complete_journey.yaml")
