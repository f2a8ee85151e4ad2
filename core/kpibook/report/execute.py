"""Execute the notebook of one client in a worker of its own, and say in words what went wrong."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from kpibook.errors import DataError, KpibookError, LostError, ParamsError, PluginError, Problem, RunError
from kpibook.report import leakscan
from kpibook.report.kernel import on_day
from kpibook.report.stage import WORK
from kpibook.report.supervise import Ended, Event, watch
from kpibook.withheld import masked

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kpibook.params import Params

WORKER = "kpibook.report.worker"
OWN_ERRORS = {error.__name__: error for error in (ParamsError, PluginError, DataError, RunError, LostError)}
DISK = frozenset({errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT})
ROOM = "see that there is room, and that the folder can be written to"
CHANGED = "see which plugin, cell or program removes files there"
NOISE = "Kernel is running over TCP without encryption"


def execute(
    params: Params,
    template: Path,
    folder: Path,
    parent: int,
    deadline: float,
    on_cell: Callable[[int, int], None],
    cancel: threading.Event,
    more: Mapping[str, str] | None = None,
) -> None:
    """Papermill with one parameter, the params path; raises what the notebook's kernel or its end deserve.

    ``more`` are variables of the environment.
    """
    events: list[Event] = []
    cells = 0

    def heard(event: Event) -> None:
        nonlocal cells
        events.append(event)
        if event["event"] == "notebook":
            cells = event["cells"]
        elif event["event"] == "cell":
            on_cell(event["cell"], cells)

    arguments = [str(parent), str(folder), str(template), str(params.path)]
    work = folder / WORK
    passed = leakscan.names(params.path.read_text(encoding="utf-8"))
    more = {**(more or {}), **on_day(params.as_of.isoformat() if params.as_of else "")}
    ended = watch(WORKER, arguments, folder, folder, work, deadline, heard, cancel, passed, more)
    quieten(work / "log.txt")
    judge(params, template, ended, events, cells)


def judge(params: Params, template: Path, ended: Ended, events: list[Event], cells: int) -> None:
    """Raise unless the worker says that it is done and ends with 0."""
    at = next((e["cell"] for e in reversed(events) if e["event"] == "cell"), 0)
    place = f"{template.name}, cell {at} of {cells}" if at else template.name
    if ended.stopped == "user":
        raise KeyboardInterrupt
    if ended.stopped == "clock":
        raise overtime(params, place)
    last = events[-1] if events else {"event": "nothing"}
    if last["event"] == "refused":
        raise ParamsError(Problem(template.name, last["what"], last["remedy"]))
    if last["event"] == "error":
        raise cell_error(place, last)
    if last["event"] != "done" or ended.code != 0:
        how = f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
        what = f"the process that executes the notebook ended by {how}"
        raise RunError(Problem(place, what, "read log.txt; when memory ran out, lower limits.memory"))


def overtime(params: Params, place: str) -> RunError:
    """The error of a run that the wall clock ended."""
    what = f"the run did not end within limits.minutes = {params.limits.minutes:g} and was stopped"
    return RunError(Problem(place, what, f"raise limits.minutes in {params.path.name}"))


def cell_error(place: str, event: Event) -> KpibookError:
    """The error of a cell: one of ours keeps its text and exit code, any other is named."""
    if event["kind"] == "dead":
        return RunError(Problem(place, *dead(event["code"], event["cell"] > 0)))
    if event["kind"] == "output":
        return RunError(Problem(place, "shows what no notebook can hold", "let the cell show text, HTML or SVG"))
    if event["kind"] == "shown":
        what = f"its output has {event['size']} characters"
        return RunError(Problem(place, what, "let the cell, or the plugin, show less"))
    if event["kind"] == "system":
        what = f"{event['where']}: {event['text']}"
        return RunError(Problem(place, what, ROOM if event["number"] in DISK else CHANGED))
    if event["kind"] == "timeout":
        return RunError(Problem(place, "the cell ran into its time limit", "raise limits.minutes"))
    own, text = OWN_ERRORS.get(event["name"]), event["text"]
    where, colon, rest = text.partition(": ")
    what, dot, remedy = rest.rpartition(" · ")
    if own and colon and dot:
        return own(Problem(where, what, remedy))
    first = masked(next(iter(text.strip().splitlines()), ""))
    what = f"{event['name']}: {first}" if first else event["name"]
    return RunError(Problem(place, what, "read the traceback in report.ipynb"))


def dead(code: int | None, started: bool) -> tuple[str, str]:
    """What is said of a kernel that died, and what to do."""
    if not started:
        return "the kernel could not be started", "read log.txt, and see that there is room on the disk and in memory"
    if code is None or code < 0:
        how = f"by signal {-code}" if code else "by an unknown cause"
        return f"the kernel died {how} (killed, or out of memory)", "lower limits.memory, or run on a machine with more"
    what = f"the kernel was ended from within (exit code {code})"
    return what, "find the plugin or cell that ends the process (os._exit, quit, a library that aborts)"


def quieten(log: Path) -> None:
    """Take ipykernel's remark on transport out of the log: the kernel listens on this machine only."""
    if not log.exists():  # whoever cleared the folder out is told of in other places
        return
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    log.write_text("".join(line for line in lines if NOISE not in line), encoding="utf-8")
