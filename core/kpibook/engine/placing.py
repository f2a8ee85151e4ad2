"""Which period and segment a row belongs to.

A relation with a ``period_id`` was placed by its view; a dated one is placed by its
date; an undated one counts whole in every period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from kpibook import model, windows
from kpibook.definition import Definition
from kpibook.engine.rebinding import used
from kpibook.errors import PluginError, Problem

PERSONS_TABLES = (
    "transactions",
    "order_lines",
    "customers",
    "memberships",
    "redemptions",
    "referrals",
    "tickets",
    "survey_invitations",
    "survey_responses",
)
#: Columns that name a single person, receipt or line: no breakdown may list them.
PERSONAL = {name for table in PERSONS_TABLES for name in (*model.TABLES[table].key, *model.references(table))} - {
    "product_id"
} | {"household_id", "payment_token_hash", "visitor_id", "session_id", "invitee_hash", "respondent_id"}
PERIOD, SEGMENT, BY, UNKNOWN = "_period", "_segment", "_by", "unknown"


@dataclass(frozen=True)
class Placer:
    """Knows the dates and keys of views and tables; ``schemas`` holds the columns of each view."""

    views: Mapping[str, Definition]
    schemas: Mapping[str, Mapping[str, Any]]
    bases: Mapping[str, tuple[tuple[str, ...], str | None]] = field(default_factory=dict)

    def placed(self, base: ops.Relation, breakdown: str, values: Iterable[ops.Node]) -> ir.Table | None:
        """``base``, as far as ``values`` use it, with _period and _segment; None when the breakdown does not apply.

        Raises PluginError when nothing says which period a row belongs to.
        """
        grain = breakdown if breakdown in windows.GRAINS else windows.TOTAL
        rows = _period_rows(grain)
        table = base.to_expr().select(*self._kept(base, breakdown, values))
        date = self.facts(base)[1]
        if "period_id" in table.columns:
            joined = table.join(rows, table.period_id == rows._window, how="inner")
        elif date is not None:
            day = table[date].date() if table[date].type().is_timestamp() else table[date]
            joined = table.join(rows, (day >= rows._start) & (day < rows._end), how="inner")
        elif not self.places(base):
            raise PluginError(
                Problem(
                    "placing",
                    "nothing says which period a row belongs to",
                    "use a view with a date, such as receipts, or join periods and keep period_id",
                )
            )
        elif grain == windows.TOTAL:
            joined = table.cross_join(rows)
        else:
            return None
        if breakdown in (grain, windows.TOTAL):
            return joined.mutate(**{SEGMENT: joined._label})
        return self._by_column(joined, breakdown)

    def by_time(self, base: ops.Relation, grains: Sequence[str], values: Iterable[ops.Node]) -> ir.Table:
        """``base``, which has a period_id, by the whole period and by parts of it at once: which, is in _by."""
        table = base.to_expr().select(*self._kept(base, grains[0], values))
        rows = _period_rows(*grains)
        joined = table.join(rows, table.period_id == rows._window, how="inner")
        return joined.mutate(**{SEGMENT: joined._label})

    def _kept(self, base: ops.Relation, breakdown: str, values: Iterable[ops.Node]) -> list[str]:
        key, date = self.facts(base)
        joins = {k for _, k, _ in self._describing()} if breakdown not in base.schema.names else {breakdown}
        wanted = used(values, base) | set(key) | joins | {"period_id", date}
        return [name for name in base.schema.names if name in wanted]

    def places(self, base: ops.Relation) -> bool:
        """Whether it can be told which period a row belongs to."""
        return "period_id" in base.schema.names or self.facts(base)[1] is not None or self._undated(base)

    def _undated(self, base: ops.Relation) -> bool:
        """A view or table that has no date at all: it counts whole in every period."""
        leaf = _leaf(base)
        if leaf is None or (leaf.name in model.TABLES and "transaction_id" in model.references(leaf.name)):
            return False
        return self._declared(leaf.name)[1] is None

    def key(self, base: ops.Relation) -> tuple[str, ...]:
        """The columns that identify a row of ``base``, when it still has them."""
        return self.facts(base)[0]

    def facts(self, base: ops.Relation) -> tuple[tuple[str, ...], str | None]:
        """Key and date of ``base``, as far as it still has those columns."""
        leaf = _leaf(base)
        key, date = self._declared(leaf.name) if leaf is not None else ((), None)
        names = set(base.schema.names)
        return key if set(key) <= names else (), date if date in names else None

    def placing(self, base: ops.Relation, breakdowns: Iterable[str]) -> list[ops.Node]:
        """What is read to put rows of ``base`` into periods and segments."""
        key, date = self.facts(base)
        names = dict.fromkeys([*key, *([date] if date else []), "period_id"])
        read: list[ops.Node] = [base, *(ops.Field(base, name) for name in names if name in base.schema.names)]
        return read + [node for breakdown in breakdowns for node in self._asked(base, breakdown)]

    def _asked(self, base: ops.Relation, breakdown: str) -> list[ops.Node]:
        """What a breakdown of ``base`` reads besides dates: its own column, or that of what describes its rows."""
        if breakdown in (windows.TOTAL, *windows.GRAINS):
            return []
        if breakdown in base.schema.names:
            return [ops.Field(base, breakdown)]
        for name, key, columns in self._describing():
            if key in base.schema.names and breakdown in columns and breakdown != key:
                other = ibis.table(columns, name=name).op()
                names = [key, breakdown, *(["period_id"] if "period_id" in columns else [])]
                return [ops.Field(base, key), *(ops.Field(other, column) for column in names)]
        return []

    def breakdowns(self) -> set[str]:
        """Every name that some KPI could be broken down by: grains, and columns of views and of described things."""
        sources = [self.schemas[name] for name in self.views] + [columns for _, _, columns in self._describing()]
        groups = {name for columns in sources for name, kind in dict(columns.items()).items() if _is_group(kind)}
        return set(windows.GRAINS) | groups - PERSONAL

    def _declared(self, name: str) -> tuple[tuple[str, ...], str | None]:
        if name in self.bases:
            return self.bases[name]
        if name in self.views:
            return self.views[name].key, self.views[name].date
        return (model.TABLES[name].key, model.TABLES[name].date) if name in model.TABLES else ((), None)

    def _by_column(self, joined: ir.Table, column: str) -> ir.Table | None:
        if column in joined.columns:
            return joined.mutate(**{SEGMENT: _text(joined[column])})
        for name, key, columns in self._describing():
            if key in joined.columns and column in columns and column != key:
                other = ibis.table(columns, name=name)
                keys = [key] + (["period_id"] if "period_id" in columns else [])
                names = {k: f"_{k}" for k in keys}
                wanted = other.select(**{names[k]: other[k] for k in keys}, _column=other[column])
                match = [joined[key] == wanted[names[key]]]
                if "period_id" in keys:
                    match.append(joined._window == wanted["_period_id"])
                found = joined.left_join(wanted, match)
                return found.mutate(**{SEGMENT: _text(found._column)})
        return None

    def _describing(self) -> list[tuple[str, str, Any]]:
        described = [(n, d.describes, self.schemas[n]) for n, d in self.views.items() if d.describes]
        tables = [(t.name, t.key[0], model.schema(t.name)) for t in model.TABLES.values() if len(t.key) == 1]
        return [*described, *tables]


@cache
def _period_rows(*grains: str) -> ir.Table:
    periods = ibis.table(windows.SCHEMA, name="periods")
    rows = periods.filter(periods.segment_by.isin(grains))
    return rows.select(
        _window=rows.period_id,
        _start=rows.start,
        _end=rows.end,
        _label=rows.segment,
        **{PERIOD: rows.period, BY: rows.segment_by},
    )


def _is_group(kind: Any) -> bool:
    dtype = dt.dtype(kind)
    return bool(dtype.is_string() or dtype.is_boolean())


def _text(column: ir.Value) -> ir.StringValue:
    return column.cast("string").fill_null(UNKNOWN)


def _leaf(base: ops.Relation) -> Any:
    """The view or table a chain of filters and projections starts from."""
    while isinstance(base, ops.Filter | ops.Project | ops.Sort):
        base = base.parent
    return base if isinstance(base, ops.UnboundTable) else None
