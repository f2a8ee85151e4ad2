"""``kpibook lab``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kpibook.params import Params


def command(
    params: Annotated[
        Path | None, typer.Argument(metavar="PARAMS", help="The client to open it for.", show_default=False)
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or print the address only.")
    ] = True,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port, or a free one near it.")] = 8888,
    root: Annotated[bool, typer.Option("--allow-root", help="Start as root too, as in a container.")] = False,
) -> None:
    """With a params file the report template is copied to notebooks/CLIENT.ipynb, once, and opened there.

    The kernel is kpibook's own Python. Settings and history lie in .jupyter below this folder.
    """
    from kpibook.report.lab import environment

    flags = [*([] if browser else ["--no-browser"]), *(["--allow-root"] if root else [])]
    arguments = [sys.executable, "-m", "jupyterlab", f"--port={port}", *flags]
    if params:
        from kpibook.params import load

        arguments.append(str(workbook(load(params))))
    env = environment(Path())
    os.execve(sys.executable, arguments, env)  # noqa: S606 (JupyterLab takes the place of this process)


def workbook(params: Params) -> Path:
    """The client's own copy of the template below this folder, its parameters set; one that is there is kept.

    Raises ParamsError for a template that is none, before anything is made, and for a folder that cannot be written.
    """
    from kpibook.errors import ParamsError, Problem

    path = Path("notebooks") / f"{params.client}.ipynb"
    if not path.exists():
        try:
            _made(path, params)
        except OSError as error:
            what = f"the workbook cannot be made ({error.strerror})"
            remedy = "call kpibook lab in a folder in which you may write"
            raise ParamsError(Problem(str(path), what, remedy)) from error
    return path


def _made(path: Path, params: Params) -> None:
    import nbformat
    import papermill

    from kpibook.errors import ParamsError, Problem
    from kpibook.report import packaged
    from kpibook.report.kernel import KERNEL
    from kpibook.report.worker import refuse

    source = params.notebook or packaged.template()
    with TemporaryDirectory() as folder:
        staged = Path(folder) / "template.ipynb"
        refusal = refuse(str(source), str(staged))
        if refusal:
            raise ParamsError(Problem(source.name, *refusal))
        template = nbformat.read(staged, as_version=4)
    path.parent.mkdir(exist_ok=True)
    values = {"params": str(params.path)}
    papermill.execute_notebook(template, path, values, prepare_only=True, progress_bar=False, kernel_name=KERNEL)
