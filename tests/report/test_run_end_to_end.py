"""A run with a real worker and a real kernel, from template to report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from kpibook.errors import RunError
from kpibook.report import turn
from kpibook.report.kernel import RUN_DIR
from kpibook.report.run import run
from report.small_client import Made, make, record_of

HERE = Path(__file__).parents[1]


def strays(out: Path) -> list[psutil.Process]:
    """Processes of runs below a folder that are still there."""
    everybody = psutil.process_iter(["environ"])
    marked = [p for p in everybody if str(out) in (p.info["environ"] or {}).get(RUN_DIR, "")]
    return [p for p in marked if p.status() != psutil.STATUS_ZOMBIE]


def test_a_run_ends_with_the_report_and_nothing_else(made: Made) -> None:
    assert (made.outcome.state, made.outcome.code, made.outcome.message) == ("valid", 0, "")
    assert made.outcome.folder == made.folder
    assert sorted(p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*")) == [
        "quality.json",
        "report.html",
        "report.ipynb",
        "run.json",
        "scorecard.csv",
        "scorecard.parquet",
        "tables",
        "tables/churn_rate.parquet",
    ]
    assert sorted(p.name for p in (made.out / ".staging").iterdir()) == [".lock", "corner-shop.lock"]


def test_the_record_says_what_was_done(made: Made) -> None:
    record = record_of(made.folder)
    assert record["state"] == "valid"
    assert record["failure"] is None
    assert list(record["steps"]) == ["notebook", "results", "page", "validation", "leak scan"]
    assert record["inputs"] == {"lines.csv": "aa11"}
    assert record["definitions"] == {"net_sales": {"hash": "9d", "origin": "kpibook 0.1.0"}}
    assert record["versions"]["kpibook"] == "0.1.0"
    assert record["validation"]["problems"] == []
    assert record["validation"]["inputs_changed"] == []
    assert set(record["files"]) == {
        "quality.json",
        "report.html",
        "report.ipynb",
        "scorecard.csv",
        "scorecard.parquet",
        "tables/churn_rate.parquet",
    }


def test_one_string_is_injected_and_the_kernel_of_the_template_does_not_matter(made: Made) -> None:
    """N4, N5, N13: the template names a kernel that nobody has; what is injected is the params path."""
    notebook = nbformat.read(made.folder / "report.ipynb", as_version=4)
    injected = [c.source for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert injected == [f'# Parameters\nparams = "{made.params.path}"\n']
    assert notebook.metadata.kernelspec.name == "python3"


def test_the_home_folder_stays_empty(made: Made) -> None:
    assert list(made.home.iterdir()) == []


def test_progress_counts_the_cells(made: Made) -> None:
    assert [(p.step, p.done, p.of) for p in made.progress][:3] == [
        ("notebook", 0, 0),
        ("notebook", 1, 6),
        ("notebook", 2, 6),
    ]
    assert [p.step for p in made.progress if not p.of] == ["notebook", "results", "page", "validation", "leak scan"]


def test_what_a_killed_run_left_is_marked_interrupted_and_put_away(made: Made) -> None:
    """N3: a stale record is known by its process."""
    (place,) = (made.out / "corner-shop" / "failed").iterdir()
    record = record_of(place)
    assert place.name == f"{record['finished'].replace('-', '').replace(':', '')}-dead0001"
    assert record["state"] == "interrupted"
    assert record["failure"] == {"step": "run", "message": "the command was stopped before the run had ended"}


def test_an_error_of_ours_keeps_text_and_exit_code_and_the_earlier_report_stays(tmp_path: Path) -> None:
    cell = (
        "from kpibook.errors import DataError, Problem\n"
        "raise DataError([Problem('lines.csv', 'has no rows', 'ask for it'), Problem('b.csv:2', 'no', 'mend it')])"
    )
    earlier = tmp_path / "reports" / "corner-shop" / "2017-07-01_2017-12-31"
    earlier.mkdir(parents=True)
    (earlier / "report.html").write_text("earlier", encoding="utf-8")
    outcome = run(make(tmp_path / "params", cell), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 3)
    assert outcome.message == "lines.csv: has no rows · ask for it\nb.csv:2: no · mend it"
    assert outcome.folder is not None
    assert outcome.folder.parent == tmp_path / "reports" / "corner-shop" / "failed"
    assert sorted(p.name for p in outcome.folder.iterdir()) == ["log.txt", "report.ipynb", "run.json", "tables"]
    assert record_of(outcome.folder)["failure"] == {"step": "notebook", "message": outcome.message}
    assert [p.read_text() for p in earlier.iterdir()] == ["earlier"]
    assert "without encryption" not in (outcome.folder / "log.txt").read_text(encoding="utf-8")


def test_a_killed_kernel_is_told_by_the_record_not_by_the_notebook(tmp_path: Path) -> None:
    """N1: the notebook says that every cell was completed, without an exception."""
    outcome = run(make(tmp_path, "import os; os.kill(os.getpid(), 9)"), tmp_path / "reports")
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == (
        "corner-shop.ipynb, cell 4 of 5: the kernel died by signal 9 (killed, or out of memory)"
        " · lower limits.memory, or run on a machine with more"
    )
    assert outcome.folder is not None
    notebook = json.loads((outcome.folder / "report.ipynb").read_text(encoding="utf-8"))
    assert notebook["metadata"]["papermill"]["exception"] is None
    assert record_of(outcome.folder)["state"] == "failed"


def test_a_notebook_that_hangs_is_ended_by_the_wall_clock(tmp_path: Path) -> None:
    """N2: the clock is the run's, not a cell's; the kernel and its children go too."""
    cell = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    before = time.monotonic()
    outcome = run(make(tmp_path, cell, minutes=0.2), tmp_path / "reports")
    assert time.monotonic() - before < 60
    assert (outcome.state, outcome.code) == ("failed", 4)
    assert outcome.message == (
        "corner-shop.ipynb, cell 4 of 5: the run did not end within limits.minutes = 0.2 and was stopped"
        " · raise limits.minutes in corner-shop.yaml"
    )
    assert strays(tmp_path) == []
    assert sorted(p.name for p in (tmp_path / "reports" / ".staging").iterdir()) == [".lock", "corner-shop.lock"]


COMMAND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from report.small_client import make
from kpibook.report.run import run
folder = Path(sys.argv[2])
params = make(folder, "import time; time.sleep(600)")
run(params, folder / "reports", lambda progress: print(progress.done, flush=True))
"""


def test_kill_9_of_the_command_leaves_a_true_record_and_no_process(tmp_path: Path) -> None:
    """N3, and a second run of the same client is refused as long as the first is alive."""
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(HERE), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    while command.stdout.readline().strip() != "4":
        assert command.poll() is None
    (folder,) = (tmp_path / "reports" / ".staging").glob("corner-shop-*")
    started = record_of(folder)
    assert (started["state"], started["pid"]) == ("running", command.pid)
    assert oct(folder.stat().st_mode & 0o777) == "0o700"

    second = run(make(tmp_path), tmp_path / "reports")
    assert (second.state, second.code, second.folder) == ("failed", 4, None)
    assert second.message == (
        f"corner-shop: a run is under way since {started['started']}, process {command.pid} on {started['host']}"
        " · wait for its end, or stop that process"
    )

    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    command.stdout.close()
    deadline = time.monotonic() + 20
    while (record_of(folder)["state"] == "running" or strays(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert strays(tmp_path) == []
    assert record_of(folder)["failure"] == {"step": "run", "message": "the command was killed before the run had ended"}
    assert not (tmp_path / "reports" / "corner-shop").exists()

    with turn.only_run_of("corner-shop", tmp_path / "reports"):
        (moved,) = (tmp_path / "reports" / "corner-shop" / "failed").iterdir()
    assert record_of(moved)["state"] == "interrupted"


def test_a_reports_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("", encoding="utf-8")
    outcome = run(make(tmp_path), tmp_path / "reports")
    assert outcome.code == RunError.exit_code
    assert outcome.message == (
        f"{tmp_path / 'reports'}: cannot be used as reports folder (Not a directory) · name another folder with --out"
    )


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    params = make(tmp_path)
    params.notebook.unlink()
    outcome = run(params, tmp_path / "reports")
    assert outcome.message == (
        f"corner-shop.yaml: notebook: there is no file {params.notebook}"
        " · name a Jupyter notebook under 'notebook', or leave that line out"
    )


@pytest.mark.parametrize("name", ["report.html", "run.json"])
def test_the_finished_files_can_be_read_by_others_like_any_file(made: Made, name: str) -> None:
    assert made.folder.stat().st_mode == made.folder.parent.stat().st_mode
    assert (made.folder / name).stat().st_mode & 0o400
