"""``kpibook plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kpibook.cache.store import Store
    from kpibook.engine.compute import Loaded
    from kpibook.engine.outline import Outline, Step
    from kpibook.params import Params

KIND, LAST, FILE = "plan", "last", "seconds.json"
#: How KPIs are asked, in words.
ASKED = {"linear": "sums", "curve": "durations", "single": "values", "rows": "rows", "in pandas": "in pandas"}


def command(
    params: Annotated[Path, typer.Argument(metavar="PARAMS", help="The client's params file.", show_default=False)],
    measure: Annotated[bool, typer.Option("--measure", help="Carry it out, and tell rows and time.")] = False,
    out: Annotated[Path, typer.Option(help="The reports folder, in whose cache tables and times are.")] = Path(
        "reports"
    ),
) -> None:
    """Tables, views, queries and KPIs with what each of them reads; nothing is shown of the data but counts."""
    from kpibook import asked, intake
    from kpibook.engine.outline import outline
    from kpibook.params import load
    from kpibook.plugins import discover
    from kpibook.workbench import loaded

    client = load(params)
    discovered = discover(client.plugins)
    for problem in discovered.broken:
        typer.echo(str(problem), err=True)
    asked.resolved(discovered.catalog, client)
    store = _store(client, out)
    data = loaded(intake.load(client, store=store))
    found = outline(discovered.catalog, client, data, _known(store), measure=measure)
    if measure and store is not None:
        text = json.dumps({step.label: step.seconds for step in found.steps})
        store.put(KIND, LAST, lambda new: (new / FILE).write_text(text, encoding="utf-8"))
    typer.echo("\n".join(described(found, client, data)))
    for note in store.notes if store is not None else ():
        typer.echo(note, err=True)


def _store(client: Params, out: Path) -> Store | None:
    from kpibook.cache.store import Store, size
    from kpibook.report.cached import FOLDER

    limit = client.limits.cache
    return None if limit == "none" else Store(out.resolve() / FOLDER / client.client, client.client, size(limit))


def _known(store: Store | None) -> dict[str, float]:
    files = None if store is None else store.read(KIND, LAST)
    return {} if files is None else json.loads(files[FILE])


def described(found: Outline, client: Params, data: Loaded) -> Iterator[str]:
    """The lines of a plan."""
    compared = f" against {client.compare}" if client.compare else ""
    by = f", by {', '.join(client.breakdowns)}" if client.breakdowns else ""
    yield f"{client.client}: {client.period}{compared}{by}"
    yield f"times: {found.source}"
    yield from _tables(found, data)
    yield from _section("views, each made once", found.steps, {"view"}, _made)
    yield from _section("steps that several queries start from", found.steps, {"step"}, _made)
    yield from _section("queries and what is made of their rows", found.steps, set(ASKED), _query)
    yield "KPIs, and what their definitions read"
    for kpi, tables in found.needs.items():
        columns = [f"{table}.{column}" for table, own in sorted(tables.items()) for column in sorted(own)]
        through = f" · through {', '.join(found.through[kpi])}" if found.through[kpi] else ""
        yield f"  {kpi}: {', '.join(columns) or 'the scorecard'}{through}"
    if found.left_out:
        yield f"KPIs that these data do not allow: {len(found.left_out)}, kpibook check says why"
    if found.unmade:
        yield f"views that nobody reads and that are not made: {len(found.unmade)}"
    queries, work = sum(step.queries for step in found.steps), sum(step.seconds for step in found.steps)
    clock = "" if found.clock is None else f", {found.clock:.2f} s by the clock"
    yield f"in all: {len(found.steps)} tasks, {queries} queries, {work:.2f} s of work{clock}"


def _tables(found: Outline, data: Loaded) -> Iterator[str]:
    from kpibook import model

    yield "tables"
    for table, columns in found.reads.items():
        of = len(model.TABLES[table].columns)
        yield f"  {table}: {data.rows[table]} rows, {len(columns)} of {of} columns: {', '.join(sorted(columns))}"
    idle = [table for table, rows in data.rows.items() if rows and table not in found.reads]
    if idle:
        yield f"  delivered and not read by any KPI: {', '.join(idle)}"


def _section(title: str, steps: Iterable[Step], kinds: set[str], line: Callable[[Step], str]) -> Iterator[str]:
    chosen = [step for step in steps if step.kind in kinds]
    if chosen:
        yield title
        yield from (f"  {line(step)}" for step in chosen)


def _made(step: Step) -> str:
    rows = "" if step.rows is None else f", {step.rows} rows"
    columns = "" if step.columns is None else f", {step.columns[0]} of {step.columns[1]} columns"
    return (
        f"{step.label}: {step.seconds:.2f} s{rows}{columns} · for {len(step.kpis)} of the KPIs: {', '.join(step.kpis)}"
    )


def _query(step: Step) -> str:
    queries = f", {step.queries} queries" if step.queries > 1 else ""
    return f"{ASKED[step.kind]}: {step.label}: {step.seconds:.2f} s{queries}"
