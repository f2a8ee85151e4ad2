"""What a template, a worker or a kernel did wrong, in whole messages, without starting any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nbformat
import papermill
import pytest
from nbclient.exceptions import DeadKernelError

from kpibook.errors import DataError, KpibookError, LostError, ParamsError, PluginError, RunError
from kpibook.report import again, worker
from kpibook.report.execute import judge, quieten
from kpibook.report.supervise import Ended
from kpibook.report.worker import TooMuchShownError, named, refuse
from report.small_client import Limits, Params, write_notebook

if TYPE_CHECKING:
    from kpibook.report.lifeline import Line

FAILED = Ended(4)
TEMPLATE = Path("audit.ipynb")
PARAMS = Params(Path("shop.yaml"), TEMPLATE, limits=Limits(minutes=30))


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "template.ipynb"


def test_a_template_that_sets_params_is_taken(staged: Path) -> None:
    assert refuse(str(write_notebook(staged))) is None
    assert nbformat.read("work/template.ipynb", as_version=4).metadata.kernelspec.name == "python3"


def test_a_template_without_the_tag_is_refused(staged: Path) -> None:
    """N6: Papermill would run it with its defaults and call it a success."""
    assert refuse(str(write_notebook(staged, tag="parametres"))) == (
        "no cell has the tag 'parameters'",
        'give the cell that sets params = "..." this tag',
    )


@pytest.mark.parametrize(("cell", "sets"), [('parms = "x"', "parms"), ("", "nothing"), ("a = 1\nb = 2", "a, b")])
def test_a_template_that_does_not_know_params_is_refused(staged: Path, cell: str, sets: str) -> None:
    """N6: an unknown parameter would be a line in a log."""
    assert refuse(str(write_notebook(staged, parameters=cell))) == (
        f"the cell tagged 'parameters' sets {sets} and no 'params'",
        'let it set params = "...", the path of a params file',
    )


class Silent:
    """A line on which nobody listens."""

    def tell(self, event: str, **_: object) -> None:
        """Nothing."""


def test_a_kernel_may_take_longer_than_a_minute_to_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Seen on a machine under load, in both executions; limits.minutes ends what hangs."""
    given: dict[str, object] = {}
    monkeypatch.setattr(papermill, "execute_notebook", lambda *_, **options: given.update(options))
    assert worker.execute(cast("Line", Silent()), "shop.yaml") == 0
    assert given["start_timeout"] == 600

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "0")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setattr(pytest, "main", lambda options, plugins: given.update(options=options) or 0)
    assert again.compare_cells(cast("Line", Silent()), "report.ipynb") == 0
    clocks = [option for option in cast("list[str]", given["options"]) if "timeout" in option]
    assert clocks == ["--nbval-kernel-startup-timeout=600", "--nbval-cell-timeout=604800"]
    assert "PYTEST_ADDOPTS" not in os.environ


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ana@example.com,12.50\n", "it is not JSON"),
        ("[]", "it is JSON of another kind"),
        ('{"nbformat": 4, "cells": 3}', "it is JSON of another kind"),
        ('{"nbformat": 4, "nbformat_minor": 5, "cells": [1], "metadata": {}}', "it is JSON of another kind"),
        ('{"nbformat": 9}', "Unsupported nbformat version 9"),
    ],
)
def test_a_template_that_is_no_notebook_is_refused(staged: Path, text: str, why: str) -> None:
    """Whatever it is, none of its text is repeated."""
    staged.write_text(text, encoding="utf-8")
    assert refuse(str(staged)) == (f"cannot be read as a notebook ({why})", "name a Jupyter notebook (.ipynb)")
    assert not Path("work/template.ipynb").exists()


def failed(*events: dict, ended: Ended = FAILED, cells: int = 9) -> KpibookError:
    with pytest.raises(KpibookError) as raised:
        judge(PARAMS, TEMPLATE, ended, list(events), cells)
    return raised.value


CELL = {"event": "cell", "cell": 3}


def error(name: str, text: str) -> dict:
    return {"event": "error", "kind": "cell", "cell": 3, "name": name, "text": text}


def test_done_and_exit_0_is_the_only_success() -> None:
    """Neither a worker that says done and ends with 1 is one, nor one that ends with 0 and never said it."""
    judge(PARAMS, TEMPLATE, Ended(0), [CELL, {"event": "done"}], 9)
    assert type(failed(CELL, {"event": "done"}, ended=Ended(1))) is RunError
    assert type(failed(CELL, ended=Ended(0))) is RunError


def test_a_refused_template_is_a_mistake_in_the_params() -> None:
    found = failed({"event": "refused", "what": "no cell has it", "remedy": "give it"}, ended=Ended(2))
    assert (type(found), str(found)) == (ParamsError, "audit.ipynb: no cell has it · give it")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("DataError", DataError), ("PluginError", PluginError), ("RunError", RunError), ("LostError", LostError)],
)
def test_errors_of_ours_keep_class_and_text(name: str, kind: type[KpibookError]) -> None:
    text = "x.csv:3: no rows: none · ask\ny.csv: empty · ask too"
    found = failed(CELL, error(name, text))
    assert (type(found), str(found)) == (kind, text)


def test_a_data_error_of_another_library_is_not_taken_for_ours() -> None:
    found = failed(CELL, error("DataError", "No numeric types to aggregate"))
    assert (type(found), str(found)) == (
        RunError,
        "audit.ipynb, cell 3 of 9: DataError: No numeric types to aggregate · read the traceback in report.ipynb",
    )


def test_an_error_without_text_is_told_by_its_name() -> None:
    assert str(failed(CELL, error("AssertionError", ""))) == (
        "audit.ipynb, cell 3 of 9: AssertionError · read the traceback in report.ipynb"
    )


def test_a_cell_that_ran_into_a_limit_is_told() -> None:
    """N2: CellTimeoutError is no CellExecutionError."""
    assert str(failed(CELL, {"event": "error", "kind": "timeout", "cell": 3})) == (
        "audit.ipynb, cell 3 of 9: the cell ran into its time limit · raise limits.minutes"
    )


@pytest.mark.parametrize(("code", "how"), [(-9, "signal 9"), (1, "exit code 1"), (0, "exit code 0")])
def test_a_worker_that_ends_without_a_word_has_failed(code: int, how: str) -> None:
    assert str(failed(CELL, ended=Ended(code))) == (
        f"audit.ipynb, cell 3 of 9: the process that executes the notebook ended by {how}"
        " · read log.txt; when memory ran out, lower limits.memory"
    )


def test_the_clock_before_the_first_cell() -> None:
    assert str(failed(ended=Ended(-9, "clock"))) == (
        "audit.ipynb: the run did not end within limits.minutes = 30 and was stopped"
        " · raise limits.minutes in shop.yaml"
    )


def test_a_user_who_stops_is_no_error() -> None:
    with pytest.raises(KeyboardInterrupt):
        judge(PARAMS, TEMPLATE, Ended(-9, "user"), [], 0)


def test_ipykernels_remark_on_transport_is_taken_out(tmp_path: Path) -> None:
    """N16."""
    log = tmp_path / "log.txt"
    remark = "[IPKernelApp] WARNING | Kernel is running over TCP without encryption. All communication\n"
    log.write_text(f"before\n{remark}after\n", encoding="utf-8")
    quieten(log)
    assert log.read_text(encoding="utf-8") == "before\nafter\n"


MEMORY = "(killed, or out of memory) · lower limits.memory, or run on a machine with more"
FROM_WITHIN = "find the plugin or cell that ends the process (os._exit, quit, a library that aborts)"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (-9, f"the kernel died by signal 9 {MEMORY}"),
        (None, f"the kernel died by an unknown cause {MEMORY}"),
        (0, f"the kernel was ended from within (exit code 0) · {FROM_WITHIN}"),
    ],
)
def test_how_a_kernel_died_is_told(code: int | None, told: str) -> None:
    event = {"event": "error", "kind": "dead", "cell": 3, "code": code}
    assert str(failed(CELL, event)) == f"audit.ipynb, cell 3 of 9: {told}"


def test_a_kernel_that_could_not_be_started_is_told() -> None:
    assert str(failed({"event": "error", "kind": "dead", "cell": 0, "code": 1})) == (
        "audit.ipynb: the kernel could not be started"
        " · read log.txt, and see that there is room on the disk and in memory"
    )


def test_a_cell_that_shows_too_much_is_told() -> None:
    event = {"event": "error", "kind": "shown", "cell": 3, "size": "60,000,000"}
    assert str(failed(CELL, event)) == (
        "audit.ipynb, cell 3 of 9: its output has 60,000,000 characters · let the cell, or the plugin, show less"
    )


def test_an_output_that_no_notebook_can_hold_is_told() -> None:
    """Altair's renderer ``mimetype`` shows a dictionary under a name that nbformat takes for text."""
    with pytest.raises(nbformat.ValidationError) as raised:
        nbformat.v4.new_output("display_data", {"application/vnd.vegalite.v6.json": {"mark": "bar"}})
    assert named(raised.value, 8) == {"kind": "output", "cell": 8}
    said = "shows what no notebook can hold · let the cell show text, HTML or SVG"
    assert str(failed(CELL, {"event": "error", "kind": "output", "cell": 3})) == f"audit.ipynb, cell 3 of 9: {said}"


@pytest.mark.parametrize(
    ("number", "text", "remedy"),
    [
        (28, "No space left on device", "see that there is room, and that the folder can be written to"),
        (2, "No such file or directory", "see which plugin, cell or program removes files there"),
    ],
)
def test_an_error_of_the_system_in_the_worker_is_told(number: int, text: str, remedy: str) -> None:
    event = {"event": "error", "kind": "system", "cell": 3, "where": "report.ipynb", "number": number, "text": text}
    assert str(failed(CELL, event)) == f"audit.ipynb, cell 3 of 9: report.ipynb: {text} · {remedy}"


def test_what_a_worker_tells_of_its_errors() -> None:
    full = {"kind": "system", "cell": 3, "where": "report.ipynb", "number": 28, "text": "No space left on device"}
    assert named(OSError(28, "No space left on device", "report.ipynb"), 3) == full
    assert named(OSError(28, "No space left on device"), 3) == {**full, "where": "the folder of the run"}
    assert named(DeadKernelError("Kernel died"), 3) == {"kind": "dead", "cell": 3, "code": None}
    assert named(TooMuchShownError("60,000,000"), 3) == {"kind": "shown", "cell": 3, "size": "60,000,000"}
    assert named(RuntimeError("a fault of ours"), 3) is None
    assert named(OSError("a fault of ours"), 3) is None


def test_a_log_that_somebody_removed_is_no_error(tmp_path: Path) -> None:
    quieten(tmp_path / "log.txt")
    assert list(tmp_path.iterdir()) == []
