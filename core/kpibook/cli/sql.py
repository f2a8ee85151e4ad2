"""``kpibook sql``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    kpi: Annotated[str, typer.Argument(help="The KPI's id.", show_default=False)],
    params: Annotated[Path, typer.Argument(metavar="PARAMS", help="The client's params file.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Write the tables that it reads there, and print it over them."),
    ] = None,
) -> None:
    """The query runs in DuckDB, in the folder of the client's data, or anywhere over the tables written by --data."""
    from kpibook import by_hand
    from kpibook.params import load

    typer.echo(by_hand.queries(kpi, load(params), data), nl=False)
