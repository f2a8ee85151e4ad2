"""``kpibook sql``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    kpi: Annotated[str, typer.Argument(help="The KPI's id.", show_default=False)],
    params: Annotated[Path, typer.Argument(metavar="PARAMS", help="The client's params file.", show_default=False)],
) -> None:
    """The query runs in DuckDB, in the folder of the client's data."""
    from kpibook import book
    from kpibook.params import load

    typer.echo(book.sql(kpi, load(params)), nl=False)
