"""``kpibook compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpibook.cli.history import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpibook.compared import Difference
    from kpibook.past import PastRun


def command(
    first: Annotated[str, typer.Argument(metavar="RUN", help="A report's folder, CLIENT/PERIOD, or a run's id.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="The later one.")],
    segments: Annotated[bool, typer.Option("--segments", help="Every segment, not only the totals.")] = False,
    out: Annotated[Path, typer.Option(help="The reports folder.")] = Path("reports"),
) -> None:
    """What moved, what the data now say of the same days, and what was defined anew, each apart."""
    from kpibook.compared import SAME, compared
    from kpibook.errors import ParamsError, Problem
    from kpibook.past import one
    from kpibook.results import load

    runs = [one(name, out) for name in (first, second)]
    if len({run.record.client for run in runs}) > 1:
        clients = " and ".join(run.record.client for run in runs)
        raise ParamsError(Problem("command line", f"these are reports of {clients}", "compare two of one client"))
    before, after = (load(run.folder) for run in runs)
    found = compared(before, after, segments)
    typer.echo(headed(runs))
    told = [each for each in found if each.causes != (SAME,)]
    if told:
        typer.echo(tabled(told))
    typer.echo(f"{len(found) - len(told)} of {len(found)} figures are the same")


def headed(runs: Sequence[PastRun]) -> str:
    """Which runs, and in what else than their figures they differ."""
    one, two = (run.record for run in runs)
    lines = [f"{run.record.period}  run {run.record.run_id}  {run.record.finished}" for run in runs]
    changed = sorted(name for name in {*one.inputs, *two.inputs} if one.inputs.get(name) != two.inputs.get(name))
    said = {
        "params": one.params_sha256 != two.params_sha256,
        "template": one.notebook_sha256 != two.notebook_sha256,
        "versions": one.versions != two.versions,
        f"inputs ({', '.join(changed)})": bool(changed),
    }
    differ = [name for name, yes in said.items() if yes]
    return "\n".join([*lines, f"changed: {', '.join(differ) or 'nothing'}"])


def tabled(found: Sequence[Difference]) -> str:
    """One line a figure that is not the same."""
    lines: list[tuple[str, ...]] = [("kpi", "segment", "first", "second", "same days", "movement", "cause")]
    for each in found:
        segment = "" if each.segment_by == "total" else f"{each.segment_by} {each.segment}"
        numbers = [each.first, each.second, each.data, each.movement]
        texts = ["" if number is None else f"{number:.6g}" for number in numbers]
        lines.append((each.kpi, segment, *texts, ", ".join(each.causes)))
    return columns(lines)
