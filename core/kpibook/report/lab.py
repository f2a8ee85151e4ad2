"""JupyterLab in a workspace: its kernel is the running interpreter, and all that it keeps lies below the workspace.

Settings, history, signatures and running servers of the same user's other notebooks are neither read nor changed.
Nothing is asked of the network: JupyterLab's news are switched off.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from kpibook.errors import ParamsError, Problem
from kpibook.report.kernel import KERNEL, METADATA

FOLDER = ".jupyter"
NEWS = "@jupyterlab/apputils-extension:announcements"
#: Where the same user's other notebooks look; ours must not.
OTHERS = ("JUPYTER_CONFIG_PATH", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_PREFER_ENV_PATH")


def environment(workspace: Path) -> dict[str, str]:
    """The environment in which JupyterLab is started; its folder is made. Raises ParamsError where it cannot be.

    ``kpibook`` is the first on PATH, for ``!kpibook`` in a cell and for a terminal of JupyterLab's.
    """
    home = workspace.resolve() / FOLDER
    try:
        _made(home)
    except OSError as error:
        what = f"JupyterLab's folder cannot be made ({error.strerror})"
        remedy = "call kpibook lab in a folder in which you may write"
        raise ParamsError(Problem(FOLDER, what, remedy)) from error
    own = {
        "JUPYTER_PATH": home / "kpibook",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "NPM_CONFIG_CACHE": home / "npm",  # language servers are looked for with npm, which writes a log
    }
    given = {name: value for name, value in os.environ.items() if name not in OTHERS}
    path = os.pathsep.join([str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])])
    return given | {name: str(folder) for name, folder in own.items()} | {"PATH": path}


def _made(home: Path) -> None:
    home.mkdir(mode=0o700, exist_ok=True)  # the history of cells is the client's
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    files = {
        home / "kpibook" / "kernels" / KERNEL / "kernel.json": {"argv": argv, **METADATA},
        home / "config" / "labconfig" / "page_config.json": {"disabledExtensions": {NEWS: True}},
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
