"""The process that executes a report a second time with nbval: ``python -m kpibook.report.again PARENT NOTEBOOK``.

Tells for each cell whether its outputs are the same text as those that the notebook holds.
"""

from __future__ import annotations

import os
import re
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

from kpibook.report.bounds import confine, end_children
from kpibook.report.lifeline import Line, follow_parent
from kpibook.report.light import light_imports
from kpibook.report.worker import KERNEL_STARTS

WORD = re.compile(r"<[^>]*>|[^<\s]+")
SHOWN = 60
A_WEEK = 7 * 24 * 3600


class Teller:
    """A pytest plugin that tells each cell's outcome as an event."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is None:
            if call.when == "call":
                self._line.tell("same", cell=item.cell_num)
            return
        error = call.excinfo.value
        text = str(error)
        if text == "Cell outputs differ":
            text = "shows " + difference(texts(item.cell.outputs), texts(item.test_outputs))
        elif text.startswith("Cell execution caused an exception"):
            raised = [out for out in item.test_outputs if out.output_type == "error"]
            text = f"raises {raised[-1].ename}: {raised[-1].evalue}"
        self._line.tell("differs", cell=item.cell_num, text=text)


def texts(outputs: list[Any]) -> str:
    """Everything that nbval compares of a cell's outputs, as one text."""
    parts = []
    for output in outputs:
        data = output.get("data", {"text": output.get("text", output.get("evalue", ""))})
        parts += [value if isinstance(value, str) else str(value) for _, value in sorted(data.items())]
    return "\n".join(parts)


def difference(stored: str, again: str) -> str:
    """The first word or tag in which two texts differ: what is stored, what came out the second time."""
    pairs = zip_longest(WORD.findall(stored), WORD.findall(again), fillvalue="")
    left, right = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    if left == right:
        return "other white space"
    alike = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    start = max(alike - SHOWN // 2, 0)
    return f"'{left[start : start + SHOWN]}', computed again '{right[start : start + SHOWN]}'"


def main(parent: str, notebook: str) -> int:
    """pytest's exit code."""
    light_imports()
    line = Line()
    confine()
    os.chdir(Path(notebook).parent)
    follow_parent(None, int(parent))
    try:
        return compare_cells(line, Path(notebook).name)
    finally:
        end_children()


def compare_cells(line: Line, notebook: str) -> int:
    """Run nbval in this folder; pytest's exit code."""
    import pytest

    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    Path("nbval.ini").write_text("[pytest]\n", encoding="utf-8")
    # limits.minutes ends a cell that takes too long, as in the first execution.
    clocks = (f"--nbval-kernel-startup-timeout={KERNEL_STARTS}", f"--nbval-cell-timeout={A_WEEK}")
    options = "-c nbval.ini -p nbval.plugin -p no:cacheprovider --noconftest --nbval --nbval-kernel-name python3"
    code = pytest.main(
        [*options.split(), *clocks, "--color=no", "-q", "-vv", "-W", "ignore", "--rootdir=.", notebook],
        plugins=[Teller(line)],
    )
    line.tell("done", code=int(code))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
