"""The commands in a notebook's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import kpibook

if TYPE_CHECKING:
    from collections.abc import Iterator

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    try:
        made.run_line_magic("load_ext", "kpibook.magic")
        yield made
    finally:
        InteractiveShell.clear_instance()


def test_a_command_prints_what_it_prints_in_a_terminal(shell: InteractiveShell, capsys: Capture) -> None:
    shell.run_line_magic("kpibook", "--version")
    assert capsys.readouterr().out == f"kpibook {kpibook.__version__}\n"


def test_a_command_that_is_refused_ends_the_cell(shell: InteractiveShell, capsys: Capture) -> None:
    with pytest.raises(UsageError) as caught:
        shell.run_line_magic("kpibook", 'new-kpi "Evening share"')
    assert str(caught.value) == "kpibook ended with exit code 2 · its message stands above"
    assert capsys.readouterr().err == (
        "command line: 'Evening share' is no name of a KPI"
        " · write small letters, digits and _, a letter first, 60 at most\n"
    )


def test_lab_does_not_take_the_place_of_the_notebook(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError) as caught:
        shell.run_line_magic("kpibook", "lab params/shop.yaml")
    told = "kpibook lab: JupyterLab is open already · open a notebook in its list of files"
    assert str(caught.value) == told
