"""Long work is told where somebody looks on, and nowhere else."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from kpibook import progress
from kpibook.present.words import Words


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class Handle:
    def __init__(self, shown: list[Any]) -> None:
        self.shown = shown

    def update(self, bundle: Any, *, raw: bool) -> None:
        assert raw
        self.shown.append(bundle)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a kernel displays."""
    import IPython
    import IPython.display

    shown: list[Any] = []

    def display(bundle: Any, *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        shown.append(bundle)
        return Handle(shown)

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("VSCODE_PID", raising=False)
    return shown


def work() -> None:
    with progress.told(Words("de")) as step:
        step("reading")
        progress.reading(step)("a<b>.csv", 1, 4)
        step("computing", n=133)


def test_on_a_terminal_it_is_one_line_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", out := Tty())
    monkeypatch.delenv("KPIBOOK_RUN_DIR", raising=False)
    work()
    lines = [line.rstrip() for line in out.getvalue().split("\r")]
    said = ["Die Daten werden gelesen …", "a<b>.csv wird gelesen: 25,0\u00a0%", "133 Kennzahlen werden berechnet …"]
    assert lines == ["", *said, "", ""]


def test_elsewhere_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    work()
    assert out.getvalue() == ""


def test_below_a_cell_of_an_open_notebook_it_is_one_output(kernel: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/explore.ipynb")
    work()
    assert [bundle["text/plain"] for bundle in kernel] == [
        "Die Daten werden gelesen …",
        "a<b>.csv wird gelesen: 25,0\u00a0%",
        "133 Kennzahlen werden berechnet …",
        "Fertig nach 0 Sekunden.",
    ]
    assert kernel[1]["text/html"] == (
        '<p class="kb-progress"><progress></progress> a&lt;b&gt;.csv wird gelesen: 25,0\u00a0%</p>'
    )
    assert kernel[3]["text/html"] == '<p class="kb-progress">Fertig nach 0 Sekunden.</p>'


def test_a_report_s_run_and_a_notebook_that_nobody_has_open_hear_nothing(
    kernel: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    work()
    monkeypatch.setenv("JPY_SESSION_NAME", "/explore.ipynb")
    monkeypatch.setenv("KPIBOOK_RUN_DIR", "/somewhere")
    work()
    assert (kernel, out.getvalue()) == ([], "")


def test_a_long_file_is_told_twice_a_second_at_most() -> None:
    told: list[Any] = []
    tell = progress.reading(lambda what, **values: told.append((what, values)))
    for done in range(1, 100):
        tell("a.csv", done, 100)
    tell("unknown.csv", 5, 0)
    assert told == [("file", {"file": "a.csv", "share": 0.01})]
