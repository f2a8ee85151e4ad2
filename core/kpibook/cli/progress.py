"""What the terminal shows while clients run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from kpibook.cli.terminal import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpibook.report.run import Outcome, Progress

#: Seconds between two lines about one file.
_EVERY = 5.0


@contextmanager
def told(runs: int, jobs: int) -> Iterator[Lines | Bars]:
    """Who listens to ``run_many``, while ``jobs`` of so many ``runs`` are under way at once."""
    left = Left(runs, jobs)
    if not sys.stderr.isatty():
        yield Lines(left)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Rich

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"), TimeElapsedColumn()]
    console, shared = Console(file=bare(sys.stderr)), sys.stdout.isatty()
    with Rich(*columns, console=console, transient=True, redirect_stdout=shared) as bars:
        yield Bars(left, bars)


class Left:
    """How many of the ``runs`` have ended, and how long the others will take at the pace of these."""

    def __init__(self, runs: int, jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.runs, self._jobs, self._clock = runs, max(min(jobs, runs), 1), clock
        self.done, self._began = 0, clock()

    def one_more(self) -> str:
        """``3 of 100 done, about 4 min left``."""
        self.done += 1
        left = (self._clock() - self._began) / self.done * (self.runs - self.done)
        # Before each job has ended once, what is under way tells nothing of the pace.
        if self.done == self.runs or self.done < self._jobs:
            return f"{self.done} of {self.runs} done"
        return f"{self.done} of {self.runs} done, about {_time(left)} left"


class Lines:
    """A line for every step, and for how many have ended, on standard error."""

    def __init__(self, left: Left) -> None:
        self._left = left

    def step(self, progress: Progress) -> None:
        if not progress.of:
            typer.echo(f"{progress.client}: {progress.step}", err=True)

    def end(self, outcome: Outcome, tell: Callable[[Outcome], None]) -> None:
        tell(outcome)
        far = self._left.one_more()
        if self._left.runs > 1:
            typer.echo(far, err=True)


class Bars:
    """A bar for every run under way, and one for all."""

    def __init__(self, left: Left, bars: Any) -> None:
        self._left, self._bars = left, bars
        self._tasks: dict[str, Any] = {}
        self._all = bars.add_task("all", total=left.runs, step="", visible=left.runs > 1)

    def step(self, progress: Progress) -> None:
        if progress.client not in self._tasks:
            self._tasks[progress.client] = self._bars.add_task(progress.client, total=None, step="")
        task = self._tasks[progress.client]
        if progress.of:
            far = f"cell {progress.done} of {progress.of}"
            self._bars.update(task, completed=progress.done, total=progress.of, step=far)
        else:
            self._bars.update(task, step=progress.step)

    def end(self, outcome: Outcome, tell: Callable[[Outcome], None]) -> None:
        task = self._tasks.pop(outcome.client, None)
        if task is not None:
            self._bars.remove_task(task)
        tell(outcome)
        self._bars.update(self._all, advance=1, step=self._left.one_more())


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


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
