"""``kpibook lab``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kpibook.params import Params


def command(
    params: Annotated[
        Path | None, typer.Argument(metavar="PARAMS", help="The client to open it for.", show_default=False)
    ] = None,
) -> None:
    """With a params file the report template is copied to notebooks/CLIENT.ipynb, once, and opened there."""
    arguments = [sys.executable, "-m", "jupyterlab"]
    if params:
        from kpibook.params import load

        arguments.append(str(workbook(load(params))))
    os.execv(sys.executable, arguments)  # noqa: S606 (JupyterLab takes the place of this process)


def workbook(params: Params) -> Path:
    """The client's own copy of the template below this folder, its parameters set; one that is there is kept."""
    import nbformat
    import papermill

    from kpibook.report import packaged
    from kpibook.report.kernel import KERNEL, use_own_kernel

    path = Path("notebooks") / f"{params.client}.ipynb"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        template = nbformat.read(params.notebook or packaged.template(), as_version=4)
        values = {"params": str(params.path)}
        use_own_kernel(template)
        papermill.execute_notebook(template, path, values, prepare_only=True, progress_bar=False, kernel_name=KERNEL)
    return path
