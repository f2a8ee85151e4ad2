"""What decides the figures of one piece of work: definition, data, periods and code, as one digest.

Nothing else may: what is withheld, compared or judged across KPIs is done to the figures afterwards, every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import ibis.expr.operations as ops

from kpibook import windows
from kpibook.cache import code
from kpibook.engine.jobs import Piece
from kpibook.engine.placing import Placer
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Quantile
from kpibook.formula import Clusters, Formula, Leaf
from kpibook.lineage import Lineage, fingerprint
from kpibook.tracing import Resolution, roots
from kpibook.windows import Window


@dataclass(frozen=True)
class Keys:
    """Of pieces under one catalogue, client and period; ``data`` has a digest of every table of the ``engine``."""

    resolution: Resolution
    placer: Placer
    table: Sequence[Window]
    data: Mapping[str, str]
    engine: str = ""

    def key(self, piece: Piece) -> str | None:
        """None of what cannot be told, such as a function that stands in no file."""
        if piece.frames is None:
            marks, read = self._estimates(piece)
        else:
            own = code.behind(piece.jobs[0].kpi.definition.function)
            if own is None:
                return None
            marks, read = self._frames(piece, own)
        lineage = self.resolution.lineage
        tables = lineage.reads(read)[0]
        marks += [lineage.digest(node) for node in read]
        marks += [f"{name} {self.data[name]}" for name in tables if name != "periods"]
        marks += self._periods(piece, whole="periods" in tables)
        return fingerprint(code.engine(), self.engine, piece.kind, *marks)

    def _estimates(self, piece: Piece) -> tuple[list[str], list[ops.Node]]:
        marks, read = [], []
        for job, shown in zip(piece.jobs, piece.shown, strict=True):
            estimate: Any = job.unmoved or job.estimate
            moved = job.unmoved is not None
            marks.append(repr((job.name, shown, moved, _outline(estimate, self.resolution.lineage))))
            read += roots(estimate)
            read += self.placer.placing(estimate.base, shown)
        return marks, read

    def _frames(self, piece: Piece, own: str) -> tuple[list[str], list[ops.Node]]:
        (job,), frames = piece.jobs, piece.frames
        assert frames is not None  # noqa: S101  the caller has seen it
        definition = job.kpi.definition
        said = (definition.columns, definition.optional, definition.not_by, sorted(job.kpi.settings.items()))
        marks, read = [repr((job.name, piece.shown, said)), job.kpi.hash, own], []
        for name in frames.of(job.kpi):
            whole = ops.UnboundTable(name, self.resolution.schemas[name])
            key = self.placer.key(whole)
            # Without a key, rows are in the order of whatever columns any KPI asks for.
            asked = definition.columns[name] if key else frames.columns(name)
            read += [ops.Field(whole, column) for column in asked]
            read += self.placer.placing(whole, piece.breakdowns)
        return marks, read

    def _periods(self, piece: Piece, *, whole: bool) -> Iterator[str]:
        """The windows that are read; all that is known of them where a view makes use of it."""
        grains = {windows.TOTAL, *piece.breakdowns}
        for each in self.table:
            if whole:
                yield repr(astuple(each))
            elif each.segment_by in grains:
                yield repr((each.period, each.segment_by, each.segment, each.start, each.end))


def _outline(estimate: Estimate | None, lineage: Lineage) -> Any:
    """All of an estimate but its variants, with digests in the place of expressions."""

    def mark(value: Any) -> str:
        return "" if value is None else lineage.digest(value.op())

    match estimate:
        case Linear():
            parts: Any = (estimate.kind, estimate.rule, _formula(estimate.formula, lineage))
            return (*parts, mark(estimate.cluster), mark(estimate.scope))
        case Quantile():
            return (mark(estimate.column), estimate.q, mark(estimate.cluster), estimate.rule)
        case Curve():
            marks = (mark(estimate.duration), mark(estimate.event), mark(estimate.cluster))
            return (*marks, estimate.at, estimate.complement, estimate.rule)
        case Matrix():
            sides = (mark(estimate.rows), mark(estimate.columns))
            return (*sides, _outline(estimate.headline, lineage), _outline(estimate.cell, lineage))
    return None


def _formula(formula: Formula, lineage: Lineage) -> Any:
    args = []
    for arg in formula.args:
        if isinstance(arg, Leaf):
            counted = isinstance(arg.expr, Clusters)
            value = arg.expr.where if counted else arg.expr
            args.append(("clusters" if counted else "sum", "" if value is None else lineage.digest(value.op())))
        else:
            args.append(_formula(arg, lineage) if isinstance(arg, Formula) else arg)
    return (formula.operator, *args)
