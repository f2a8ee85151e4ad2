"""``%load_ext kpibook.magic``: kpibook's commands in a cell, as in a terminal, without a second start of Python.

``%kpibook admit kpis/evening_share.py`` prints what the command prints. An exit code other than 0 ends the cell.
"""

from __future__ import annotations

import shlex
import sys
from typing import Any

from IPython.core.error import UsageError

from kpibook.cli import main

#: It would take the place of the notebook's own process.
ELSEWHERE = "lab"


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext`` calls."""
    shell.register_magic_function(kpibook, "line", "kpibook")


def kpibook(line: str) -> None:
    """``%kpibook COMMAND …``; ``%kpibook --help`` lists the commands."""
    arguments = shlex.split(line, posix=sys.platform != "win32")
    if arguments[:1] == [ELSEWHERE]:
        raise UsageError("kpibook lab: JupyterLab is open already · open a notebook in its list of files")
    try:
        main(arguments)
    except SystemExit as left:
        if left.code:
            raise UsageError(f"kpibook ended with exit code {left.code} · its message stands above") from None
