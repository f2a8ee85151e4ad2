"""What an expression reads, and its fingerprint.

Both follow only the columns that an expression really uses, through views and joins:
a view that gains a column changes neither the needs nor the hash of KPIs that do not use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import ibis.expr.operations as ops

LEAVES = (ops.UnboundTable, ops.DatabaseTable)


class Lineage:
    """Traces expressions down to canonical tables; ``views`` maps a view's name to its relation."""

    def __init__(self, views: Mapping[str, ops.Relation]) -> None:
        self._views = views
        self._digests: dict[Any, str] = {}
        self._sides: dict[ops.Relation, str] = {}
        self._steps: dict[Any, tuple[Any, ...]] = {}
        self._read: dict[Any, int] = {}
        self._places: dict[tuple[str, str], int] = {}

    def reads(self, roots: Iterable[ops.Node]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        """Columns read of canonical tables and of views: two mappings ``{name: columns}``."""
        read = 0
        for root in roots:
            read |= self._reading(root)
        tables: dict[str, set[str]] = {}
        views: dict[str, set[str]] = {}
        for (name, column), place in self._places.items():
            if read >> place & 1:
                found = views if name in self._views else tables
                found.setdefault(name, set()).update({column} if column else ())
        return _frozen(tables), _frozen(views)

    def _reading(self, root: ops.Node) -> int:
        """What a node reads, a bit for each leaf and for each of its columns; every node is looked at once."""
        stack: list[Any] = [root]
        while stack:
            node = stack[-1]
            below = self._below(node)
            waiting = [] if node in self._read else [each for each in below if each not in self._read]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if node not in self._read:
                self._read[node] = self._own(node)
                for each in below:
                    self._read[node] |= self._read[each]
        return self._read[root]

    def _own(self, node: Any) -> int:
        relation = node.rel if isinstance(node, ops.Field) else node
        if not isinstance(relation, LEAVES):
            return 0
        leaf = (relation.name, node.name if isinstance(node, ops.Field) else "")
        return 1 << self._places.setdefault(leaf, len(self._places))

    def digest(self, node: ops.Node) -> str:
        """A fingerprint of a value's structure, the same in every process."""
        if node not in self._digests:
            self._digests[node] = fingerprint(type(node).__name__, *self._parts(node))
        return self._digests[node]

    def _below(self, node: Any) -> tuple[Any, ...]:
        """The nodes one step further down."""
        if node not in self._steps:
            self._steps[node] = tuple(self._step(node))
        return self._steps[node]

    def _step(self, node: Any) -> Iterator[Any]:
        if not isinstance(node, ops.Field):
            relation = self._parent(node) if isinstance(node, ops.Relation) else None
            yield from [relation] if relation is not None else _nodes(_shape(node))
            yield from _asked(node)
            return
        parent = self._parent(node.rel)
        if parent is not None:
            yield ops.Field(parent, node.name)
        elif isinstance(node.rel, ops.Set):
            yield from (ops.Field(side, node.name) for side in (node.rel.left, node.rel.right))
        elif not isinstance(node.rel, LEAVES):
            yield node.rel.values[node.name]
        yield node.rel

    def _parent(self, relation: ops.Relation) -> ops.Relation | None:
        """What a reference or a view's name stands for."""
        if isinstance(relation, ops.Reference):
            return relation.parent
        return self._views.get(relation.name) if isinstance(relation, LEAVES) else None

    def _parts(self, node: ops.Node) -> Iterator[str]:
        if isinstance(node, ops.Field):
            yield self._rows(node.rel)
            values = [b for b in self._below(node) if b != node.rel]  # an equal one may have been met before
            yield from [self.digest(v) for v in values] or [node.name]
        elif isinstance(node, ops.Relation):
            yield self._rows(node)
        else:
            yield from (self._nested(arg) for arg in node.args)
            yield from (self.digest(value) for value in _asked(node))

    def _rows(self, relation: ops.Relation) -> str:
        """Fingerprint of which rows a relation has, whatever columns it carries."""
        parent = self._parent(relation)
        if parent is not None:
            return fingerprint(self._sides.get(relation, ""), self._rows(parent))
        if isinstance(relation, LEAVES):
            return fingerprint("rows", relation.name)
        key = ("rows", relation)
        if key not in self._digests:
            if isinstance(relation, ops.JoinChain):
                self._sides.update({table: f"side {i}" for i, table in enumerate(relation.tables)})
            self._digests[key] = fingerprint(
                "rows", type(relation).__name__, *(self._nested(a) for a in _shape(relation))
            )
        return self._digests[key]

    def _nested(self, arg: Any) -> str:
        if isinstance(arg, ops.Relation):
            return self._rows(arg)
        if isinstance(arg, ops.Node):
            return self.digest(arg)
        if isinstance(arg, tuple | list):
            return fingerprint("(", *(self._nested(a) for a in arg))
        if isinstance(arg, frozenset):  # its order is another one in every process
            return fingerprint("<", *sorted(self._nested(a) for a in arg))
        if isinstance(arg, Mapping):
            return fingerprint("{", *(fingerprint(str(k), self._nested(v)) for k, v in arg.items()))
        return fingerprint(arg if isinstance(arg, str) else repr(arg))


def _shape(node: Any) -> Iterator[Any]:
    """What decides a relation's rows: everything but the columns it merely carries. All of a value."""
    if not isinstance(node, ops.Relation):
        yield from node.args
        return
    for name, arg in zip(node.argnames, node.args, strict=True):
        if name != "identifier" and (name not in ("values", "metrics") or isinstance(node, ops.InMemoryTable)):
            yield arg
    if isinstance(node, ops.Distinct):
        yield from node.values.values()
    if isinstance(node, ops.Set) and (node.distinct or not isinstance(node, ops.Union)):
        yield from (ops.Field(node, name) for name in node.schema.names)


def _asked(node: Any) -> list[ops.Field]:
    """The values that a subquery gives to where it stands."""
    return [ops.Field(node.rel, name) for name in node.rel.schema.names] if isinstance(node, ops.Subquery) else []


def _nodes(args: Iterable[Any]) -> Iterator[ops.Node]:
    for arg in args:
        if isinstance(arg, ops.Node):
            yield arg
        elif isinstance(arg, tuple | list):
            yield from _nodes(arg)
        elif isinstance(arg, Mapping):
            yield from _nodes(arg.values())


def _frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(columns) for name, columns in sorted(found.items())}


def fingerprint(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
