"""The process that executes one notebook: ``python -m kpibook.report.worker PARENT FOLDER TEMPLATE PARAMS``.

It works in FOLDER and injects one value, the params path as a string. What it tells its
supervisor decides the run, not what stands in the notebook's metadata.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from kpibook.report.bounds import confine, end_children
from kpibook.report.kernel import KERNEL, use_own_kernel
from kpibook.report.lifeline import Line, follow_parent
from kpibook.report.light import light_imports

NOTEBOOK = "report.ipynb"
MOST_SHOWN = 50_000_000  # characters of one cell's outputs
MOST_TOLD = 100_000  # characters of an error
KERNEL_STARTS = 600  # seconds; on a busy machine a minute, which Jupyter allows, is too short
_NAME_ONE = "name a Jupyter notebook (.ipynb)"


class TooMuchShownError(Exception):
    """A cell's outputs would make a notebook that nobody can open."""


def main(parent: str, folder: str, template: str, params: str) -> int:
    """0 when every cell was executed without an error."""
    light_imports()
    line = Line()
    confine()
    os.chdir(folder)
    follow_parent(Path(folder), int(parent))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    refusal = refuse(template)
    if refusal:
        line.tell("refused", what=refusal[0], remedy=refusal[1])
        return 2
    try:
        return execute(line, params)
    finally:
        end_children()


def refuse(template: str, staged: str = "work/template.ipynb") -> tuple[str, str] | None:
    """What is wrong with a template and what to do, before any of its cells is executed; ``staged`` gets a copy."""
    import nbformat
    import papermill

    try:
        notebook = nbformat.read(template, as_version=4)
        tagged = any("parameters" in cell.metadata.get("tags", ()) for cell in notebook.cells)
    except nbformat.reader.NotJSONError:
        return "cannot be read as a notebook (it is not JSON)", _NAME_ONE
    except (AttributeError, KeyError, TypeError):
        return "cannot be read as a notebook (it is JSON of another kind)", _NAME_ONE
    except (OSError, ValueError, nbformat.ValidationError) as error:
        return f"cannot be read as a notebook ({str(error).splitlines()[0]})", _NAME_ONE
    if not tagged:
        return "no cell has the tag 'parameters'", 'give the cell that sets params = "..." this tag'
    use_own_kernel(notebook)
    nbformat.write(notebook, staged)
    declared = papermill.inspect_notebook(staged)
    if "params" not in declared:
        what = f"the cell tagged 'parameters' sets {', '.join(declared) or 'nothing'} and no 'params'"
        return what, 'let it set params = "...", the path of a params file'
    return None


def execute(line: Line, params: str) -> int:
    """Run the staged template through Papermill."""
    import papermill

    from kpibook.report.own_kernel import OwnKernel

    at = {"cell": 0}

    def started(cell_index: int, **_: Any) -> None:
        at["cell"] = cell_index + 1
        line.tell("cell", cell=cell_index + 1)

    def opened(notebook: Any) -> None:
        line.tell("notebook", cells=len(notebook.cells))

    def shown(cell: Any, **_: Any) -> None:
        if (size := len(str(cell.outputs))) > MOST_SHOWN:
            cell.outputs = []
            raise TooMuchShownError(f"{size:,}")

    try:
        papermill.execute_notebook(
            "work/template.ipynb",
            NOTEBOOK,
            parameters={"params": params},
            kernel_name=KERNEL,
            start_timeout=KERNEL_STARTS,
            language="python",
            progress_bar=False,
            log_output=False,
            on_cell_start=started,
            on_cell_executed=shown,
            on_notebook_start=opened,
            kernel_manager_class=OwnKernel,
        )
    except Exception as error:
        trouble = named(error, at["cell"])
        if trouble is None:
            raise
        line.tell("error", **trouble)
        return 4
    line.tell("done")
    return 0


def named(error: Exception, cell: int) -> dict[str, Any] | None:
    """What the supervisor is told of an error in or around ``cell``; None of a fault of ours."""
    import nbformat
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from kpibook.report.own_kernel import OwnKernel

    if isinstance(error, PapermillExecutionError):
        text = str(error.evalue)[:MOST_TOLD]
        return {"kind": "cell", "cell": error.cell_index + 1, "name": error.ename, "text": text}
    if isinstance(error, CellTimeoutError):
        return {"kind": "timeout", "cell": cell}
    if isinstance(error, DeadKernelError) or (isinstance(error, RuntimeError) and OwnKernel.ended is not None):
        return {"kind": "dead", "cell": cell, "code": OwnKernel.ended}
    if isinstance(error, nbformat.ValidationError):
        return {"kind": "output", "cell": cell}
    if isinstance(error, TooMuchShownError):
        return {"kind": "shown", "cell": cell, "size": str(error)}
    if isinstance(error, OSError) and error.errno is not None:
        where, text = str(error.filename or "the folder of the run"), error.strerror or str(error)
        return {"kind": "system", "cell": cell, "where": where, "number": error.errno, "text": text}
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
