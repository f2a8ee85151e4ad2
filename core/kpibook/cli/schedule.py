"""``kpibook schedule``."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kpibook.errors import NotValidError, ParamsError, Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpibook.ledger import Turn
    from kpibook.params import Params

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
Files = Annotated[list[Path], typer.Argument(metavar="PARAMS", help="Params files, or folders of them.")]
Out = Annotated[Path, typer.Option(help="The reports folder.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="How many clients at once.")]
Proof = Annotated[bool, typer.Option("--proof/--no-proof", help="Compute each report a second time, or not.")]


@app.command("list")
def listed(params: Files, out: Out = Path("reports")) -> None:
    """Print each client's schedule, its last turn, and when it is due next."""
    from kpibook.cli.history import columns
    from kpibook.ledger import FOLDER, Ledger
    from kpibook.timetable import upcoming

    clients, wrong = _read(params)
    ledger = Ledger(out) if (out / FOLDER).is_dir() else None
    lines = [("client", "schedule", "time zone", "next", "last", "state")]
    for each in clients:
        every = ledger.turns(each.client, STATES) if ledger else []
        last = (every[-1].due.isoformat(timespec="minutes"), every[-1].state) if every else ("", "")
        due = upcoming(each, datetime.now(UTC)).isoformat(timespec="minutes")
        lines.append((each.client, each.schedule.cron if each.schedule else "", each.timezone, due, *last))
    typer.echo(columns(lines))
    raise typer.Exit(ParamsError.exit_code if wrong else 0)


@app.command("run-due")
def run_due(params: Files, out: Out = Path("reports"), jobs: Jobs = 1, proof: Proof = True) -> None:
    """Make the reports that are due and not made yet, each once; for cron and its like. Faults are tried again."""
    from kpibook.keeper import run_due as made
    from kpibook.keeper import world
    from kpibook.ledger import Ledger
    from kpibook.report.light import light_imports

    light_imports()
    clients, wrong = _read(params)
    ledger = Ledger(out)
    with _stoppable():
        ended = made(clients, ledger, out, world(out, typer.echo, proof), jobs)
    typer.echo(summary(ended))
    raise typer.Exit(max([*(_code(turn) for turn in ended), ParamsError.exit_code if wrong else 0]))


@app.command("serve")
def serve(params: Files, out: Out = Path("reports"), jobs: Jobs = 1, proof: Proof = True) -> None:
    """Stay, and make each report when it is due, until SIGINT or SIGTERM; what was missed is made first."""
    from kpibook.keeper import world
    from kpibook.ledger import Ledger
    from kpibook.report.light import light_imports
    from kpibook.serving import serve as clock

    light_imports()
    clients, _ = _read(params)
    typer.echo(f"clients on schedule: {len(clients)}")
    real = world(out, typer.echo, proof)
    scheduler = clock(params, Ledger(out), out, real, jobs)
    with _stoppable():
        try:
            scheduler.start()
        except KeyboardInterrupt:
            real.stop()
            scheduler.shutdown()
            typer.echo("stopped")


@app.command("export")
def export(
    kind: Annotated[Literal["cron", "systemd", "kubernetes", "airflow"], typer.Argument(metavar="KIND")],
    params: Files,
    out: Out = Path("reports"),
    to: Annotated[Path | None, typer.Option(help="The folder for the files; else they are printed.")] = None,
    program: Annotated[str | None, typer.Option(help="How kpibook is called.", show_default=False)] = None,
    image: Annotated[str, typer.Option(help="The container image, for kubernetes.")] = "kpibook:latest",
) -> None:
    """Print a recipe for cron, systemd, kubernetes or airflow; each calls run-due, which makes nothing twice."""
    import shutil

    from kpibook import recipes

    clients, wrong = _read(params)
    if wrong:
        raise typer.Exit(ParamsError.exit_code)
    ours = Path(sys.executable).with_name("kpibook")
    program = program or (str(ours) if ours.is_file() else shutil.which("kpibook") or "kpibook")
    if kind == "systemd":
        files = recipes.systemd(clients, out, program)
    elif kind == "kubernetes":
        files = {"kpibook-cronjobs.yaml": recipes.kubernetes(clients, out, image)}
    elif kind == "airflow":
        files = {"kpibook_dags.py": recipes.airflow(clients, out, program)}
    else:
        files = {"kpibook.crontab": recipes.cron(clients, out, program)}
    for name, text in files.items():
        if to is None:
            typer.echo(text if len(files) == 1 else f"# {name}\n{text}", nl=False)
            continue
        try:
            to.mkdir(parents=True, exist_ok=True)
            (to / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise ParamsError(Problem(str(to / name), what, "name another folder with --to")) from None


STATES = ("due", "started", "waiting", "done", "refused", "failed")


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends runs as Ctrl-C does: set aside, and not counted as tried."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _read(paths: Sequence[Path]) -> tuple[list[Params], list[str]]:
    """Clients with a schedule; what is wrong with other files is printed."""
    from kpibook.timetable import scheduled

    clients, wrong = scheduled(paths)
    for each in wrong:
        typer.echo(each, err=True)
    if not clients and not wrong:
        where = ", ".join(map(str, paths))
        raise ParamsError(Problem(where, "no client has a schedule", "add schedule: '0 6 2 * *' to a params file"))
    return clients, wrong


def summary(ended: Sequence[Turn]) -> str:
    """The last line of a command."""
    counts = Counter(turn.state for turn in ended)
    return ", ".join(f"{counts[state]} {state}" for state in ("done", "failed", "refused"))


def _code(turn: Turn) -> int:
    if turn.state == "done":
        return 0
    return turn.code if turn.code in (ParamsError.exit_code, 3, NotValidError.exit_code) else RunError.exit_code
