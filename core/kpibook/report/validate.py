"""Does a report hold? Its files are those that were made, and computed again it shows the same figures."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import NotValidError, Problem, RunError
from kpibook.exports import making
from kpibook.report import handover, leakscan, results
from kpibook.report.compare import KEYS, as_csv, compare, compare_json, csv_like
from kpibook.report.kernel import on_day
from kpibook.report.render import render
from kpibook.report.supervise import Ended, Event, watch
from kpibook.report.worker import NOTEBOOK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

AGAIN = "kpibook.report.again"
MARKERS = ("NBVAL_SKIP", "NBVAL_IGNORE_OUTPUT", "NBVAL_RAISES_EXCEPTION", "PYTEST_VALIDATE_IGNORE_OUTPUT")
TAGS = {marker.lower().replace("_", "-") for marker in MARKERS} | {"raises-exception"}
#: Parts of quality.json.
PROVED = ("data_start", "data_end", "findings", "draft", "reconciliation", "privacy", "computability", "definitions")


@dataclass(frozen=True)
class Verdict:
    """``problems`` empty: the report holds. ``inputs_changed``: files that are not those of the run.

    ``notes`` tell of the other forms that were made again.
    """

    problems: tuple[Problem, ...]
    inputs_changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        return "not_valid" if self.problems else "valid"


def validate(folder: Path, minutes: float = 60.0) -> Verdict:
    """Examine a finished report and write the verdict into its ``run.json``.

    Of one that was not proved before, the page and the other forms are made again: they say what it is now.
    """
    record = runs.read(folder)
    if record.state not in runs.FINISHED:
        what = f"this is no finished report: its run is {record.state}"
        raise NotValidError(Problem(str(folder), what, "validate a folder of the reports, or run the client again"))
    unproved = record.state == runs.UNPROVED
    forms = making.there(folder) if unproved else []
    making.ready(forms)
    with tempfile.TemporaryDirectory(prefix="kpibook-") as scratch:
        verdict = examine(folder, record, Path(scratch), time.monotonic() + 60 * minutes, threading.Event())
    if unproved:
        _proved(folder, record, verdict)
    note(record, verdict)
    record.write(folder)
    notes = handover.again(folder, forms, record).notes if forms else ()
    return replace(verdict, notes=notes)


def _proved(folder: Path, record: runs.RunRecord, verdict: Verdict) -> None:
    """The page of a report that was not proved before says what it is now."""
    page = render(folder / NOTEBOOK, record.title, record.language, verdict.state)
    new = folder / f"{results.HTML}.new"
    new.write_text(page, encoding="utf-8", newline="\n")
    new.replace(folder / results.HTML)
    record.files[results.HTML] = results.checksums(folder)[results.HTML]


def note(record: runs.RunRecord, verdict: Verdict) -> None:
    """Put a verdict into a record; the record is not written."""
    record.state = verdict.state
    record.validation = {
        "at": runs.now(),
        "state": verdict.state,
        "problems": [asdict(problem) for problem in verdict.problems],
        "inputs_changed": list(verdict.inputs_changed),
    }


def examine(
    folder: Path,
    record: runs.RunRecord,
    scratch: Path,
    deadline: float,
    cancel: threading.Event,
    parent: int = 0,
    more: Mapping[str, str] | None = None,
) -> Verdict:
    """All that can be held against a report: checksums, page, CSV, and a second execution by nbval.

    ``more`` are variables of its environment.
    """
    problems = results.checksum_problems(folder, record)
    try:
        results.check(folder, NotValidError)
    except (NotValidError, RunError) as error:
        return Verdict((*problems, *error.problems))
    problems += marker_problems(folder)
    problems += page_problems(folder, record)
    stored = results.frame(folder, results.SCORECARD)
    written = csv_like(folder / results.CSV, stored)
    problems += compare(results.CSV, written, as_csv(stored), KEYS, f"in {results.SCORECARD}")
    again = scratch / "again"
    (again / results.TABLES).mkdir(parents=True)
    more = {**(more or {}), **on_day(record.as_of)}
    failed = execute_again(folder, again, scratch, deadline, cancel, parent, variables(record), more)
    problems += [*failed, *stored_problems(folder, again, told=bool(failed))]
    return Verdict(tuple(problems), changed_inputs(folder, again))


def marker_problems(folder: Path) -> list[Problem]:
    """Cells that ask nbval to look away."""
    found = []
    for number, cell in enumerate(results.notebook(folder).cells, 1):
        asked = [marker for marker in MARKERS if cell.cell_type == "code" and marker in cell.source]
        asked += sorted(TAGS & set(cell.metadata.get("tags", ())))
        if asked:
            what = f"asks not to be compared ({', '.join(asked)})"
            found.append(Problem(f"{NOTEBOOK}, cell {number}", what, "take the mark out of the template"))
    return found


def page_problems(folder: Path, record: runs.RunRecord) -> list[Problem]:
    """The page must be what the notebook renders to, to the byte."""
    file = folder / results.HTML
    page = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""  # to the byte: no newline is changed
    state = runs.UNPROVED if record.state == runs.UNPROVED else "valid"
    if page == render(folder / NOTEBOOK, record.title, record.language, state):
        return []
    unconfirmed = page == render(folder / NOTEBOOK, record.title, record.language, "not_valid")
    what = "was made unconfirmed, and says so" if unconfirmed else "does not show what report.ipynb holds"
    return [Problem(results.HTML, what, "make the report again")]


def execute_again(
    folder: Path,
    again: Path,
    scratch: Path,
    deadline: float,
    cancel: threading.Event,
    parent: int,
    passed: Collection[str] = (),
    more: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Run nbval on a copy; each cell whose outputs differ from the stored ones."""
    copy = again / NOTEBOOK
    copy.write_bytes((folder / NOTEBOOK).read_bytes())
    cells = [n for n, cell in enumerate(results.notebook(folder).cells, 1) if cell.cell_type == "code"]
    events: list[Event] = []
    arguments = [str(parent or os.getpid()), str(copy)]
    ended = watch(AGAIN, arguments, again, again, scratch, deadline, events.append, cancel, passed, more)
    if ended.stopped == "user":
        raise KeyboardInterrupt
    found = [
        Problem(f"{NOTEBOOK}, cell {cells[event['cell']]}", event["text"], "let the cell show the same every time")
        for event in events
        if event["event"] == "differs"
    ]
    if not found and not complete(ended, events, len(cells)):
        how = "ran into the time limit" if ended.stopped else f"ended early (exit code {ended.code})"
        found.append(Problem(NOTEBOOK, f"the second execution {how}", "validate again, and look at memory and time"))
    return found


def variables(record: runs.RunRecord) -> tuple[str, ...]:
    """What the params file of a run refers to, when it is still there."""
    params = Path(record.params)
    return leakscan.names(params.read_text(encoding="utf-8", errors="replace")) if params.is_file() else ()


def complete(ended: Ended, events: list[Event], cells: int) -> bool:
    """Whether nbval came to its end and compared every code cell."""
    same = sum(event["event"] == "same" for event in events)
    return ended.stopped is None and ended.code == 0 and same == cells


def stored_problems(folder: Path, again: Path, told: bool) -> list[Problem]:
    """Scorecard, tables and what is proved of the quality, against those of the second execution, as numbers.

    That nothing was saved needs no word when it is ``told`` already that a cell failed.
    """
    missing = [name for name in results.SAVED if not (again / name).is_file()]
    if missing:
        return (
            [] if told else [Problem(name, "was not saved by the second execution", results.REMEDY) for name in missing]
        )
    found = []
    then, now = results.tables(folder), results.tables(again)
    for name in sorted({*then} ^ {*now}):
        which = "the report" if name in then else "the second execution"
        found.append(Problem(name, f"is in {which} only", "make the report again"))
    for name in (name for name in then if name in now):
        keys = KEYS if name == results.SCORECARD else ()
        found += compare(name, results.frame(folder, name), results.frame(again, name), keys)
    quality = [results.quality(place) for place in (folder, again)]
    return found + compare_json(results.QUALITY, *({key: each.get(key) for key in PROVED} for each in quality))


def changed_inputs(folder: Path, again: Path) -> tuple[str, ...]:
    """Input files whose fingerprint is not that of the run."""
    if not (again / results.QUALITY).is_file():
        return ()
    then, now = (results.quality(place).get("fingerprints", {}) for place in (folder, again))
    return tuple(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))
