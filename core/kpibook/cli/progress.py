"""What the terminal shows while clients run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from kpibook.cli.terminal import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kpibook.report.run import Progress

#: Seconds between two lines about one file.
_EVERY = 5.0


@contextmanager
def told(clients: Sequence[str]) -> Iterator[Callable[[Progress], None]]:
    """A listener for ``run_many``."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"), TimeElapsedColumn()]
    with Bars(*columns, console=Console(file=bare(sys.stderr)), transient=True) as bars:
        tasks = {client: bars.add_task(client, total=None, start=False, step="waiting") for client in clients}
        yield lambda progress: _bar(bars, tasks[progress.client], progress)


@contextmanager
def reading() -> Iterator[Callable[[str, int, int], None]]:
    """A listener for ``intake.load``: how far a long file is, on standard error."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("") as status:
            yield lambda file, done, of: status.update(_far(file, done, of))
        return
    last = {"at": time.monotonic()}

    def line(file: str, done: int, of: int) -> None:
        if time.monotonic() - last["at"] >= _EVERY:
            last["at"] = time.monotonic()
            typer.echo(_far(file, done, of), err=True)

    yield line


def _far(file: str, done: int, of: int) -> str:
    name = "".join(c if c.isprintable() else "\ufffd" for c in file)
    return f"{name}: {100 * done // of} %" if of else f"{name}: {done // 1_000_000} MB"


def _line(progress: Progress) -> None:
    if not progress.of:
        typer.echo(f"{progress.client}: {progress.step}", err=True)


def _bar(bars: Any, task: Any, progress: Progress) -> None:
    bars.start_task(task)
    if progress.of:
        bars.update(task, completed=progress.done, total=progress.of, step=f"cell {progress.done} of {progress.of}")
    else:
        bars.update(task, step=progress.step)
