"""One client, from params to a report in its place: the table of contents of a run."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import KpibookError, NotValidError, Problem, RunError
from kpibook.exports import making
from kpibook.report import cached, handover, leakscan, packaged, redact, results, stage, turn
from kpibook.report.execute import CHANGED, DISK, ROOM, execute, overtime
from kpibook.report.render import render
from kpibook.report.validate import examine, note
from kpibook.report.versions import versions
from kpibook.report.worker import NOTEBOOK

if TYPE_CHECKING:
    from kpibook.params import Params


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``done`` of ``of`` cells while the notebook is executed, else 0 of 0."""

    client: str
    step: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``folder`` is the report, or the evidence of a failure; ``code`` the exit code."""

    client: str
    period: str
    state: str
    code: int
    folder: Path | None = None
    previous: Path | None = None
    message: str = ""
    seconds: float = 0.0
    fault: BaseException | None = None
    broken_packs: tuple[str, ...] = ()
    failed_kpis: tuple[str, ...] = ()
    draft: bool = False
    notes: tuple[str, ...] = ()


Listener = Callable[[Progress], None]


def run(
    params: Params,
    out: Path,
    on_progress: Listener = lambda _: None,
    cancel: threading.Event | None = None,
    proof: bool = True,
    cache: bool = True,
    due: str = "",
) -> Outcome:
    """Make the report of one client below ``out``. What the user can mend ends as an Outcome, not as an error.

    Without ``proof`` it is computed once only, and says so.
    Without ``cache`` nothing that an earlier run has made is used, and nothing is kept.
    ``due`` is for the record: the moment of a scheduled run.
    """
    out = out.resolve()
    try:
        usable(out)
        making.ready(params.exports.to)
        with turn.only_run_of(params.client, out):
            return _staged(params, out, on_progress, cancel or threading.Event(), proof, cache, due)
    except (KpibookError, OSError) as error:
        told = _mendable(error)
        if told is None:
            raise
        return Outcome(params.client, params.period.label, "failed", told.exit_code, message=str(told))


def _staged(
    params: Params, out: Path, on_progress: Listener, cancel: threading.Event, proof: bool, cache: bool, due: str
) -> Outcome:
    began = time.monotonic()
    record = _record(params)
    record.due = due
    secrets = leakscan.referenced(params.path.read_text(encoding="utf-8"))
    folder = stage.create(out, record)
    step = _Steps(record, folder, on_progress)
    try:
        stores = cached.stores(out, params.client) if cache else ({}, {})
        deadline = began + 60 * params.limits.minutes
        exported = _make(params, folder, record, step, secrets, deadline, cancel, proof, *stores)
    except KeyboardInterrupt:
        record.end("interrupted", step.name, "the command was stopped")
        stage.set_aside(folder, out, record, secrets)
        raise
    except BaseException as error:
        told = _mendable(error) or _vanished(error, folder)
        record.end("failed", step.name, str(told) if told else f"a fault of kpibook: {error!r}")
        folder.mkdir(mode=0o700, exist_ok=True)  # a plugin may have removed it
        place = stage.set_aside(folder, out, record, secrets)
        if told is None:
            raise
        message, seconds = redact.words(str(told), secrets), time.monotonic() - began
        return Outcome(params.client, record.period, "failed", told.exit_code, place, None, message, seconds)
    place, previous = stage.publish(folder, out, record)
    problems = (record.validation or {}).get("problems", [])
    message = "\n".join([*(str(Problem(**problem)) for problem in problems), *exported.lost])
    code = NotValidError.exit_code if problems else RunError.exit_code if exported.lost else 0
    seconds = time.monotonic() - began
    ended = Outcome(params.client, record.period, record.state, code, place, previous, message, seconds)
    broken, failed = tuple(record.broken_packs), tuple(record.failed_kpis)
    notes = (*(record.cache or {}).get("notes", ()), *exported.notes)
    return replace(ended, broken_packs=broken, failed_kpis=failed, draft=record.draft, notes=notes)


def _make(
    params: Params,
    folder: Path,
    record: runs.RunRecord,
    step: _Steps,
    secrets: leakscan.Secrets,
    deadline: float,
    cancel: threading.Event,
    proof: bool,
    first: Mapping[str, str],
    second: Mapping[str, str],
) -> handover.Told:
    """Returns what must be told of the other forms of the report."""
    template = Path(record.notebook)
    with step("notebook"):
        execute(params, template, folder, os.getpid(), deadline, partial(step.tell, "notebook"), cancel, first)
    with step("results"):
        stage.tidy(folder, results.EXPECTED)
        results.check(folder)
        _take_over(record, results.quality(folder))
        record.cache = cached.told(folder)
    with step("page"):
        _page(folder, record, "valid" if proof else runs.UNPROVED)
        record.files = results.checksums(folder)
    if proof:
        with step("validation"):
            verdict = examine(folder, record, folder / stage.WORK, deadline, cancel, more=second)
            if time.monotonic() > deadline:
                raise overtime(params, "validation")
            note(record, verdict)
            if verdict.problems:
                _page(folder, record, verdict.state)
                record.files = results.checksums(folder)
    else:
        record.state = runs.UNPROVED
    told = handover.Told()
    if params.exports.to:
        with step("exports"):
            told = handover.at_the_end(folder, params.exports.to, secrets, record.slides_template)
            record.files = results.checksums(folder)
    with step("leak scan"):
        record.leak_scan = {"searched": sorted(secrets.spellings), "too_short": list(secrets.too_short)}
        record.end(record.state)
        texts = [*leakscan.texts(folder, results.files(folder)), (runs.NAME, record.text())]
        leakscan.refuse(leakscan.scan(texts, secrets))
    record.write(folder)
    return told


def usable(out: Path) -> None:
    """RunError when the reports folder cannot be made or written to."""
    try:
        (out / runs.STAGING).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be used as reports folder ({error.strerror})"
        raise RunError(Problem(str(out), what, "name another folder with --out")) from None


def _mendable(error: BaseException) -> KpibookError | None:
    if isinstance(error, KpibookError):
        return error
    if not isinstance(error, OSError) or error.errno not in DISK:
        return None
    where, what = str(error.filename or "disk"), error.strerror or str(error)
    return RunError(Problem(where, what, ROOM))


def _vanished(error: BaseException, folder: Path) -> RunError | None:
    """The error of a run whose files were removed from under it."""
    if not isinstance(error, FileNotFoundError) or not str(error.filename).startswith(str(folder)):
        return None
    name = Path(error.filename).relative_to(folder).as_posix() if folder.exists() else "its folder"
    return RunError(Problem(folder.name, f"{name} was removed while the run was at work", CHANGED))


def _page(folder: Path, record: runs.RunRecord, state: str) -> None:
    page = render(folder / NOTEBOOK, record.title, record.language, state)
    (folder / results.HTML).write_text(page, encoding="utf-8", newline="\n")


def _record(params: Params) -> runs.RunRecord:
    template = params.notebook or packaged.template()
    if not template.is_file():
        remedy = "name a Jupyter notebook under 'notebook', or leave that line out"
        raise RunError(Problem(params.path.name, f"notebook: there is no file {template}", remedy))
    record = runs.begin(params.client, params.period.label)
    record.as_of = params.as_of.isoformat() if params.as_of else ""
    record.pool = params.privacy.pool
    record.title, record.language = params.title, params.language
    record.params, record.params_sha256 = str(params.path), params.sha256
    record.notebook = str(template)
    record.slides_template = str(params.exports.template or "")
    record.notebook_sha256 = hashlib.sha256(template.read_bytes()).hexdigest()
    record.versions = versions()
    return record


def _take_over(record: runs.RunRecord, quality: dict) -> None:
    """What only the kernel knows: which files it read, which definitions it used."""
    record.inputs = quality.get("fingerprints", {})
    record.definitions = quality.get("definitions", {})
    record.broken_packs = quality.get("broken_packs", [])
    record.failed_kpis = quality.get("failed_kpis", [])
    record.draft = quality.get("draft", False)


class _Steps:
    """Times each step, tells the listener, and keeps the record in the staging folder up to date."""

    def __init__(self, record: runs.RunRecord, folder: Path, on_progress: Listener) -> None:
        self._record, self._folder, self._listener = record, folder, on_progress
        self.name = ""

    def tell(self, step: str, done: int = 0, of: int = 0) -> None:
        self._listener(Progress(self._record.client, step, done, of))

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.name = name
        self.tell(name)
        began = time.monotonic()
        try:
            yield
        finally:
            self._record.steps[name] = round(time.monotonic() - began, 3)
        if self._record.state == "running":
            self._record.write(self._folder)
