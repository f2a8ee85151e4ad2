"""Standard output and error of a kernel, up to a limit for each cell.

Who prints more gets a RunError, so that the plugin or the cell at fault is named.
"""

from __future__ import annotations

from typing import Any

from ipykernel.iostream import OutStream

from kpibook.errors import Problem, RunError

MOST = 1_000_000


class Printed(OutStream):
    """A stream of the kernel that holds at most MOST characters a cell."""

    _left = MOST

    def set_parent(self, parent: Any) -> None:
        """A new cell begins."""
        self._left = MOST
        super().set_parent(parent)  # type: ignore[no-untyped-call]

    def write(self, string: str) -> int | None:  # type: ignore[override]
        """As of any text stream; RunError beyond the limit."""
        if len(string) > self._left:
            string, self._left = string[: self._left], 0
            super().write(string)
            raise RunError(Problem("print", f"more than {MOST:,} characters in one cell", "take the print out"))
        self._left -= len(string)
        return super().write(string)
