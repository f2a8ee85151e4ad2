"""The reference answers and how kpibook reaches them: one file of references a source, one run of the engine a client.

A file ``<source>.yaml`` maps every reference of a source to a figure of the report::

    source: tickets.csv
    defaults: {params: tickets.yaml, tolerance: 1.0e-6}    # taken where a reference says nothing itself
    measured: figures on a file that is not part of the repository; optional text for the page
    references:
      - id: frt_median_min
        from: {kpi: first_response_time, variant: median}
        settings: {first_response_time: {in_opening_hours: false}}    # what differs from the params file
        change: {period: 2025-03-01/2025-03-10}                       # likewise of its other keys, at any depth
        expected: 75
        note: one sentence
      - id: pos
        none: why no figure of kpibook says this

``from`` is one of (``times`` multiplies what is found: kpibook's shares are 0.8, a reference may say 80; ``partial``
allows segments that are not expected):

- ``kpi``, with ``period`` (current), ``segment_by`` and ``segment`` (total), or ``variant``, and ``column`` (value),
  perhaps ``less`` another column;
- ``table``, the table of a KPI, with ``where`` (column: value, or a list of values) and ``column`` or ``sum``; ``at`` a
  time, the height of a curve;
- ``view``, with one of ``sum``, ``mean``, ``median``, ``min``, ``max``, ``count``, ``distinct`` of a column, and
  ``where``; ``count: rows`` counts rows; a value ``2017-01-01/2017-06-30`` holds for the days from and to.

``tolerance`` is absolute, ``relative`` adds a part of the value where the reference allows one.
``expected`` is a number, a text, null, or a mapping: then ``from`` leaves out the segment, or a table or view says
``by`` which column (``month(column)``: a date's month). ``{python: module.function}`` or ``module.function.field``
asks the function in reference/module.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
PARAMS = FOLDER / "params"
KEYS = {"id", "ids", "params", "from", "settings", "change", "expected", "tolerance", "relative", "note", "none"}
ROUNDED = 0.005


@dataclass(frozen=True)
class Reference:
    """One answer of a source: where kpibook says it, or ``none``: why it does not."""

    source: str
    id: str
    params: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    tolerance: float = ROUNDED
    relative: float = 0.0
    note: str = ""
    none: str = ""

    @property
    def run(self) -> tuple[str, str, str]:
        """What decides the run of the engine that it is read from."""
        return self.params, _text(self.change), _text(self.settings)

    @property
    def client(self) -> tuple[str, str]:
        """What decides the data."""
        return self.run[:2]


def files() -> list[Path]:
    """The files of references, in the order of names.json."""
    order = [*names()]
    return sorted(FOLDER.glob("*.yaml"), key=lambda path: order.index(_read(path)["source"]))


@cache
def references() -> tuple[Reference, ...]:
    """Every reference of every source."""
    return tuple(found for path in files() for found in _references(_read(path)))


def of_source(source: str) -> list[Reference]:
    return [r for r in references() if r.source == source]


def measured(source: str) -> str:
    return next((str(d.get("measured", "")) for d in map(_read, files()) if d["source"] == source), "")


@cache
def names() -> dict[str, list[str]]:
    """The names of all references, by source; key columns of the definitions are no answers and not here."""
    return json.loads((FOLDER / "names.json").read_text(encoding="utf-8"))


def expected(reference: Reference) -> Any:
    """A number, a text, None, or a mapping from segment to number."""
    wanted = reference.expected
    if isinstance(wanted, Mapping) and set(wanted) == {"python"}:
        module, name, *rest = wanted["python"].split(".", 2)
        wanted = _asked(module, name)
        for part in rest:
            wanted = wanted[part]
    if hasattr(wanted, "to_dict"):
        wanted = wanted.to_dict()
    if isinstance(wanted, Mapping):
        return {str(key): value for key, value in wanted.items()}
    return wanted


@cache
def _asked(module: str, function: str) -> Any:
    return getattr(import_module(f"{__name__}.reference.{module}"), function)()


def _references(document: Mapping[str, Any]) -> list[Reference]:
    found = []
    for each in document["references"]:
        unknown = set(each) - KEYS
        assert not unknown, f"{document['source']}: {unknown}"
        facts = {**document.get("defaults", {}), **each} if "none" not in each else dict(each)
        ids = facts.pop("ids", None) or [facts.pop("id")]
        assert ("none" in facts) != ("from" in facts and "expected" in facts), f"{document['source']}: {ids}"
        facts["origin"] = facts.pop("from", {})
        found += [Reference(document["source"], str(name), **facts) for name in ids]
    return found


@cache
def _read(path: Path) -> Mapping[str, Any]:
    return YAML(typ="safe").load(path)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
