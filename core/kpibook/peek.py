"""The first rows of a canonical table, or of a view as a client's data make it, for the author of a KPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd

from kpibook.engine.backend import opened
from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.model import TABLES

if TYPE_CHECKING:
    from kpibook.catalog import Catalog
    from kpibook.engine.compute import Loaded
    from kpibook.tracing import Resolution


def first_rows(table: str, most: int, catalog: Catalog, resolution: Resolution, loaded: Loaded) -> pd.DataFrame:
    """In order of the key, where there is one. Raises ParamsError for a table that is none."""
    if table not in resolution.schemas:
        known = did_you_mean(str(table), resolution.schemas)
        raise ParamsError(Problem("book", f"there is no table '{table}'", known))
    found = _whole(table, resolution)
    if table in TABLES:
        key = [column.name for column in TABLES[table].columns.values() if column.key]
    else:
        key = [
            name for name in catalog.views[table].definition.key if name in found.columns
        ]  # some have one row in all
    ordered = found.order_by(key) if key else found
    rows: pd.DataFrame = opened(loaded.backend).fetch(ordered.limit(most)).to_pandas()
    return rows


def _whole(table: str, resolution: Resolution) -> ir.Table:
    """With the views that it rests on laid in; canonical tables stay names."""
    if table not in resolution.views:
        return ops.UnboundTable(table, resolution.schemas[table]).to_expr()
    made = resolution.views[table].op()
    below = [node for node in made.find(ops.UnboundTable) if node.name in resolution.views]
    return made.replace({node: _whole(node.name, resolution).op() for node in below}).to_expr()
