"""One real run of the small client, shared: a kernel takes seconds to start."""

from __future__ import annotations

import platform
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from kpibook import runs
from kpibook.report.run import Progress, run
from report.small_client import Made, make

if TYPE_CHECKING:
    from pathlib import Path

SUM = "0.1 + 0.2"
TABLE = """
from IPython.display import HTML
HTML("<style>td{padding:1px}</style><h1>Corner Shop</h1><h3>Sales</h3><table><tr><td>1,234.50</td></tr></table>")
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A finished report, made with an empty HOME beside the remains of a run that was killed."""
    base = tmp_path_factory.mktemp("made")
    home = base / "home"
    home.mkdir()
    out = base / "reports"
    params = make(base / "params", SUM, TABLE)
    period = params.period.label
    killed = runs.RunRecord("dead0001", "corner-shop", period, host=platform.node(), pid=1, pid_started=1.0)
    stale = out / runs.STAGING / "corner-shop-dead0001"
    stale.mkdir(parents=True)
    killed.write(stale)
    progress: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        outcome = run(params, out, progress.append, threading.Event())
    return Made(params, out, outcome, progress, home)


@pytest.fixture
def report(made: Made, tmp_path: Path) -> Path:
    """A copy of the finished report, to be tampered with."""
    return shutil.copytree(made.folder, tmp_path / "report")
