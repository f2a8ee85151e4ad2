"""Tables by two columns: shares of each row, or a share of its own in each cell."""

from __future__ import annotations

import ibis.expr.types as ir
import pandas as pd

from kpibook import rules, windows
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, Placer
from kpibook.engine.rebinding import rebound
from kpibook.estimates import Matrix
from kpibook.privacy.tables import BEHIND
from kpibook.stats.intervals import wilson
from kpibook.tracing import roots

COLUMNS = ("period", "row", "column", "numerator", "denominator", "value", "low", "high", "status")


def table(estimate: Matrix, placer: Placer) -> Work:
    """One row per period, row and column with count, base, share, Wilson interval, status and persons behind it."""
    counted = cells(estimate, placer)
    if counted is None:
        return pd.DataFrame(columns=[*COLUMNS, BEHIND])
    found = (yield counted).to_pandas()
    if estimate.cell is None:
        found["denominator"] = found.groupby([PERIOD, "row"])["numerator"].transform("sum")
    if BEHIND not in found:
        found[BEHIND] = found["numerator" if estimate.cell is None else "denominator"].fillna(0).astype("int64")
    return _judged(found.rename(columns={PERIOD: "period"}))


def cells(estimate: Matrix, placer: Placer) -> ir.Table | None:
    """One row per period, row and column: ``numerator``, and ``denominator`` where cells have one of their own."""
    placed = placer.placed(estimate.base, windows.TOTAL, roots(estimate))
    if placed is None:
        return None
    sides = {"row": estimate.rows, "column": estimate.columns}
    bound = {name: rebound(value, estimate.base, placed.op()) for name, value in sides.items()}
    rows = placed.mutate(**bound).filter(lambda t: t.row.notnull() & t.column.notnull())
    keys = [PERIOD, "row", "column"]
    if estimate.cell is None:
        sums = {"numerator": rows.count()}
    else:
        leaves = (rebound(leaf.expr, estimate.base, rows.op()) for leaf in estimate.cell.formula.leaves())
        sums = dict(zip(("numerator", "denominator"), leaves, strict=True))
    return rows.group_by(keys).agg(**sums, **_persons(estimate, rows)).order_by(keys)


def _persons(estimate: Matrix, rows: ir.Table) -> dict[str, ir.Scalar]:
    """Different persons of a cell and, each for itself, rows of nobody known; nothing where its cells are counted."""
    cluster = estimate.headline.cluster
    if cluster is None or set(cluster.op().relations) != {estimate.base}:
        return {}
    person = rebound(cluster, estimate.base, rows.op())
    return {BEHIND: person.nunique() + rows.count(where=person.isnull())}


def _judged(found: pd.DataFrame) -> pd.DataFrame:
    out: list[tuple[float | None, float | None, float | None, str]] = []
    for top, bottom in zip(found["numerator"].fillna(0).astype(float), found["denominator"].astype(float), strict=True):
        if bottom == 0:
            out.append((None, None, None, "undefined"))
            continue
        interval = wilson(top, bottom)
        status = "ok" if bottom >= rules.MINIMUM["P"] else "low_n"
        out.append((top / bottom, interval.low, interval.high, status))
    judged = pd.DataFrame(out, columns=["value", "low", "high", "status"], index=found.index)
    return pd.concat([found, judged], axis=1)[[*COLUMNS, BEHIND]]
