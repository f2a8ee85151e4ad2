"""How far the opening of a book is, told where somebody looks on: a line on a terminal, or below a cell in Jupyter.

A report's run, and any notebook that is executed without a person, hears nothing: its outputs would not reproduce.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kpibook.present.words import Words

#: Set by Jupyter's server, and by VS Code, for the kernel of a notebook that is open before a person.
WATCHED = ("JPY_SESSION_NAME", "VSCODE_PID")
RUN_FOLDER = "KPIBOOK_RUN_DIR"
#: Seconds between two looks at one long file.
EVERY = 0.5


class Step(Protocol):
    """``step("computing", n=133)``: what has begun, a message ``progress.<what>`` with its values."""

    def __call__(self, what: str, **values: Any) -> None: ...


class Screen(Protocol):
    """Shows one line in place of the last one."""

    def show(self, text: str, *, done: bool = False) -> None: ...


class Terminal:
    """One line of standard error, written over; it is gone when the work is done."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, text: str, *, done: bool = False) -> None:
        line = "" if done else text
        sys.stderr.write("\r" + line.ljust(self._width) + ("\r" if done else ""))
        sys.stderr.flush()
        self._width = len(line)


class Cell:
    """One output of a notebook's cell, replaced as the work goes on; at the end it says how long that took."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display, self._handle = display, None

    def show(self, text: str, *, done: bool = False) -> None:
        bar = "" if done else "<progress></progress> "
        bundle = {"text/html": f'<p class="kb-progress">{bar}{escape(text)}</p>', "text/plain": text}
        if self._handle is None:
            self._handle = self._display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _silent(what: str, **values: Any) -> None:
    """Nobody looks on."""


@contextmanager
def told(words: Words) -> Iterator[Step]:
    """Steps of one long piece of work, shown where somebody looks on."""
    screen = watched()
    if screen is None:
        yield _silent
        return
    began = time.monotonic()

    def step(what: str, **values: Any) -> None:
        screen.show(words(f"progress.{what}", **values))

    yield step
    screen.show(words("progress.done", n=round(time.monotonic() - began)), done=True)


def reading(step: Step) -> Callable[[str, int, int], None]:
    """What intake tells of a long file, as steps: not more than two a second."""
    last = -EVERY

    def tell(file: str, done: int, of: int) -> None:
        nonlocal last
        now = time.monotonic()
        if of and now - last >= EVERY:
            last = now
            step("file", file=file, share=done / of)

    return tell


def watched() -> Screen | None:
    """Where somebody looks on: the cell of an open notebook, a terminal, or nowhere."""
    if RUN_FOLDER in os.environ:
        return None
    display = _jupyter()
    if display is not None:
        return Cell(display)
    return Terminal() if sys.stderr is not None and sys.stderr.isatty() else None


def _jupyter() -> Callable[..., Any] | None:
    """IPython's display, in a kernel whose notebook is open."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None or not any(name in os.environ for name in WATCHED):
        return None
    from IPython.display import display

    return display
