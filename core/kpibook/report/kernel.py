"""A kernel that is the running interpreter, whatever is or is not installed around it."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

KERNEL = "python3"
METADATA = {"name": KERNEL, "display_name": "Python 3 (ipykernel)", "language": "python"}
RUN_DIR = "KPIBOOK_RUN_DIR"
#: The day on which a moving period is read.
AS_OF = "KPIBOOK_AS_OF"
MARK = "KPIBOOK_RUN_MARK"
#: Where a run's kernels are forked, if they are.
KERNELS = "kernels.sock"
SETTINGS = (
    "--HistoryManager.enabled=False",
    # What subprocesses and libraries in C print comes at its own time, another one in each run: it goes to the log.
    "--IPKernelApp.capture_fd_output=False",
    "--IPKernelApp.outstream_class=kpibook.report.printed.Printed",
)


#: What Python, its libraries and the system need; anything else may be another client's secret.
NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TZDIR|TERM|COLUMNS|LINES|TMPDIR|TEMP|TMP|VIRTUAL_ENV|"
    r"PYTHON\w*|LD_LIBRARY_PATH|DYLD_\w+|OMP_\w+|OPENBLAS_\w+|MKL_\w+|SSL_CERT_FILE|SSL_CERT_DIR|XDG_\w+|"
    r"SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAMDATA|USERPROFILE|COVERAGE_\w+",
    re.IGNORECASE,
)


def environment(
    work: Path, run_dir: Path, mark: str, passed: Collection[str] = (), more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a worker and its kernel: Jupyter's and IPython's folders are the run's own.

    ``passed`` are the variables of this client, beside which only those that Python needs and ``more`` are handed on.
    ``mark`` is handed down to every process of the run, by which strays are found.
    """
    private = work / "jupyter"
    spec = private / "kernels" / KERNEL / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *SETTINGS]
    socket = os.path.relpath(private / KERNELS, run_dir)  # a worker's folder is its run's; addresses are short
    warm = {"kernel_provisioner": {"provisioner_name": "kpibook-warm", "config": {"socket": socket}}}
    spec.write_text(json.dumps({"argv": argv, **METADATA, "metadata": warm}), encoding="utf-8")
    temporary = work / "tmp"
    temporary.mkdir(exist_ok=True)
    own = {
        "JUPYTER_PATH": private,
        "JUPYTER_DATA_DIR": private,
        "JUPYTER_CONFIG_DIR": private / "config",
        "JUPYTER_RUNTIME_DIR": private / "runtime",
        "IPYTHONDIR": private / "ipython",
        "TMPDIR": temporary,
        RUN_DIR: run_dir,
    }
    fixed = {MARK: mark, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "0"}
    given = {name: value for name, value in os.environ.items() if name in passed or NEEDED.fullmatch(name)}
    return given | {name: str(path) for name, path in own.items()} | fixed | dict(more or {})


def on_day(as_of: str) -> dict[str, str]:
    """The variable that tells a kernel the day on which a moving period is read."""
    return {AS_OF: as_of} if as_of else {}


def use_own_kernel(notebook: Any) -> None:
    """Let the notebook name our kernel, whichever it named."""
    notebook.metadata["kernelspec"] = dict(METADATA)
    notebook.metadata["language_info"] = {"name": "python"}
