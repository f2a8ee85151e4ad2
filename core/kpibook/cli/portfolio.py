"""``kpibook portfolio``."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from kpibook.errors import ParamsError, Problem


def command(
    out: Annotated[Path, typer.Option(help="The reports folder.")] = Path("reports"),
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table of Markdown.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    pool: Annotated[
        Path | None, typer.Option(help="Write averages over clients to this CSV, a table of benchmarks.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=120, help="How long the periods of --pool are.")] = 12,
) -> None:
    """The latest report of each client: targets met, missed and open, age, failed runs since; the worst first."""
    if pool is not None:
        _pool(out, pool, months)
    else:
        _page(out, markdown, as_csv)


def _page(out: Path, markdown: bool, as_csv: bool) -> None:
    from kpibook.cli.history import columns
    from kpibook.portfolio import HEAD, portfolio, summary
    from kpibook.results import inert

    if markdown and as_csv:
        raise ParamsError(Problem("command line", "--markdown and --csv exclude each other", "keep one of the two"))
    lines = portfolio(out)
    if not lines:
        raise ParamsError(Problem(str(out), "there is no report", "name another folder with --out"))
    rows = [HEAD, *(line.cells() for line in lines)]
    if as_csv:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([[inert(cell) for cell in row] for row in rows])
        typer.echo(text.getvalue(), nl=False)
    elif markdown:
        shown = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        typer.echo("\n".join([shown[0], "|---" * len(HEAD) + "|", *shown[1:], "", summary(lines)]))
    else:
        typer.echo(f"{columns(rows)}\n{summary(lines)}")


def _pool(out: Path, file: Path, months: int) -> None:
    from kpibook.pool import HEAD, pooled

    rows = pooled(out, months)
    try:
        with file.open("w", encoding="utf-8", newline="") as lines:
            table = csv.DictWriter(lines, HEAD, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise ParamsError(Problem(str(file), what, "name another file with --pool")) from None
    typer.echo(f"{file}: {len(rows)} figures, each an average of {min(int(row['n']) for row in rows)} clients or more")
