"""Notebooks that harm, with a real worker and a real kernel. ``make torture`` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import psutil

from kpibook.report.run import run
from report.small_client import make, record_of

if TYPE_CHECKING:
    from pathlib import Path

#: Changes the directory, lets children stay, and prints three million characters past Python, which go to the log.
RESTLESS = """
import os, subprocess, sys
os.chdir("/")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", TAG], start_new_session=True, env={})
_ = subprocess.run(["head", "-c", "3000000", "/dev/zero"])
"""


def test_a_restless_notebook_harms_nobody(tmp_path: Path) -> None:
    tag = f"restless-{tmp_path.name}"
    outcome = run(make(tmp_path / "params", RESTLESS.replace("TAG", repr(tag))), tmp_path / "reports")
    assert (outcome.state, outcome.code, outcome.message) == ("valid", 0, "")
    everybody = psutil.process_iter(["cmdline", "status"])
    ours = [p for p in everybody if tag in (p.info["cmdline"] or []) and p.info["status"] != psutil.STATUS_ZOMBIE]
    assert ours == []
    assert outcome.folder is not None
    assert nbformat.read(outcome.folder / "report.ipynb", as_version=4).cells[3].outputs == []


def test_a_notebook_that_prints_without_end_is_told(tmp_path: Path) -> None:
    outcome = run(make(tmp_path / "params", "while True: print('x' * 999_999)"), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == "print: more than 1,000,000 characters in one cell · take the print out"
    assert outcome.folder is not None
    assert sum(p.stat().st_size for p in outcome.folder.iterdir() if p.is_file()) < 1_100_000
    assert record_of(outcome.folder)["failure"] == {"step": "notebook", "message": outcome.message}


def test_a_notebook_that_shows_too_much_or_ends_its_kernel_is_told(tmp_path: Path) -> None:
    shows = "from IPython.display import HTML, display\ndisplay(HTML('x' * 51_000_000))"
    outcome = run(make(tmp_path / "params", shows), tmp_path / "reports")
    assert outcome.message.startswith("corner-shop.ipynb, cell 4 of 5: its output has 51,000,")
    assert outcome.message.endswith(" characters · let the cell, or the plugin, show less")
    outcome = run(make(tmp_path / "params", "import os; os._exit(3)"), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == (
        "corner-shop.ipynb, cell 4 of 5: the kernel was ended from within (exit code 3)"
        " · find the plugin or cell that ends the process (os._exit, quit, a library that aborts)"
    )


def test_a_notebook_that_removes_the_folder_of_its_run_is_told(tmp_path: Path) -> None:
    outcome = run(make(tmp_path / "params", "import os, shutil; shutil.rmtree(os.getcwd())"), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.folder is not None
    assert record_of(outcome.folder)["state"] == "failed"
    assert outcome.message == (
        "corner-shop.ipynb, cell 4 of 5: the folder of the run: No such file or directory"
        " · see which plugin, cell or program removes files there"
    )
