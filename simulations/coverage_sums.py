"""Estimates over totals, on samples of sums: the engine's query grouped by unit, once; samples are weighted sums of it.

An engine's answer is a function of sums over clusters. Those of the whole population are asked by its own query with
the cluster among the keys, and added up by unit. A sample's row of totals is then that of each unit times how often
it was drawn; what makes a figure of it is the engine's own :mod:`kpibook.figures`. Where what a customer counts
depends on who else is there (cut points, ranks), this is not what the engine would say of the sample:
:func:`simulations.coverage_draws.agreeing` finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array

from kpibook import figures, windows
from kpibook.engine import linear
from kpibook.engine.backend import Database
from kpibook.engine.jobs import Job
from kpibook.engine.linear import LinearQuery
from kpibook.engine.moments import Moments
from kpibook.engine.placing import Placer
from kpibook.estimates import Linear, Matrix
from kpibook.figures import Figure
from kpibook.stats.intervals import Interval

Floats = npt.NDArray[np.float64]
PERIODS = ("current", "previous")
#: The columns that may name whose a row is, the first that a relation has; else its key.
WHOSE = ("customer_id", "member_id", "visitor_id", "respondent_id", "transaction_id")
#: What views write before an id where several kinds of ids share a column.
LABEL = "^(?:customer|visitor|receipt) "


@dataclass(frozen=True)
class Sums:
    """A query's row for each customer, or other case, of the population: ``values`` (cases, names).

    ``units`` and ``own`` are the numbers of each case, with and without those who are drawn with it.
    """

    query: LinearQuery
    estimates: tuple[tuple[Job, Linear], ...]
    units: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]
    names: tuple[str, ...]
    values: Floats

    def figures(self, row: dict[str, Any]) -> Iterator[tuple[Job, dict[str, Figure], Interval | None]]:
        """What the engine makes of a row of totals."""
        for job, estimate in self.estimates:
            totals = self.query.totals(row, estimate)
            if estimate.formula.compares:
                yield job, {"current": figures.linear_figure(estimate, totals, "current")}, None
            else:
                both = {period: figures.linear_figure(estimate, totals, period) for period in PERIODS}
                yield job, both, figures.change_figure(estimate, totals)


def additive(job: Job) -> bool:
    """Whether its estimate is a function of sums over clusters, or over whatever rows are taken together."""
    estimate = headline(job)
    return isinstance(estimate, Linear) and (estimate.cluster is not None or linear.additive(estimate))


def headline(job: Job) -> Any:
    return job.estimate.headline if isinstance(job.estimate, Matrix) else job.estimate


def sums(jobs: Sequence[Job], placer: Placer, database: Database, ids: pd.DataFrame) -> Sums | None:
    """The sums of jobs that the engine asks in one query; None where no column says whose a row is."""
    wanted = tuple((job, headline(job)) for job in jobs)
    estimates = [estimate for _, estimate in wanted]
    if all(estimate.cluster is None for estimate in estimates):
        whose = whose_column(estimates[0].base, placer)
        if whose is None:
            return None
        estimates.append(replace(estimates[0], cluster=estimates[0].base.to_expr()[whose]))
    receipts = _Receipts(placer.views, placer.schemas, placer.bases)
    query = linear.query(estimates, [windows.TOTAL], receipts, PERIODS)
    if query is None or not isinstance(query.table, Moments):
        return None
    rows = database.rows(query.table.clusters(database.sql(query.table.inner)), query.table).to_pandas()
    found = units_of(rows["_cluster"].astype("string").fillna(rows["_alone"].astype("string")), ids)
    names, of_clusters = _of_clusters(query.table.columns, rows)
    codes, own = pd.factorize(found["own"])
    values = coo_array((np.ones(len(codes)), (codes, np.arange(len(codes))))).tocsr() @ of_clusters
    counted = values.any(axis=1)
    units = found["unit"].groupby(found["own"], sort=False).first().to_numpy()
    return Sums(query, wanted, units[counted], own.to_numpy()[counted], names, values[counted])


def _of_clusters(columns: Iterable[str], rows: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """What each row of a query's inner sums adds to its :class:`Moments`; ranks add up to nothing and are left out."""
    sums = {n: rows[n].astype("float64").fillna(0.0).to_numpy() for n in map(str, rows) if n[0] in "an"}
    found = {}
    for name in columns:
        kind, place = name[0], name[1:]
        match kind:
            case "t":
                found[name] = sums[f"a{place}"]
            case "d":
                found[name] = (sums[f"a{place}"] != 0).astype(np.float64)
            case "u":
                found[name] = (sums[f"n{place}"] > 0).astype(np.float64)
            case "r":
                found[name] = sums[f"n{place}"]
            case "p":
                one, other = place.split("_")
                found[name] = sums[f"a{one}"] * sums[f"a{other}"]
    return tuple(found), np.column_stack(list(found.values()))


@dataclass(frozen=True)
class _Receipts(Placer):
    """Rows of no person keep their receipt's name: the engine only needs to tell them apart."""

    def facts(self, base: Any) -> tuple[tuple[str, ...], str | None]:
        key, date = super().facts(base)
        return key or (("transaction_id",) if "transaction_id" in base.schema.names else ()), date


def whose_column(base: Any, placer: Placer) -> str | None:
    found = [name for name in (*WHOSE, *placer.key(base)[:1]) if name in base.schema.names]
    return found[0] if found else None


def units_of(names: pd.Series, ids: pd.DataFrame) -> pd.DataFrame:
    """``unit`` and ``own`` of each id; ids that belong to nobody known are cases of their own, below 0."""
    found = ids.reindex(names.str.replace(LABEL, "", regex=True)).reset_index(drop=True)
    strange = found["unit"].isna()
    alone = -1 - pd.Series(pd.factorize(names.reset_index(drop=True).fillna(""))[0])
    return found.apply(lambda column: column.where(~strange, alone)).astype("int64")
