"""Which KPIs have passed the admission tests: a small file beside a plugin says it, by definition hash.

``admitted.json`` lies in the folder of the plugin's file. An entry holds for one definition: whoever changes what a KPI
means, or what it rests on, changes its hash, and it has to be admitted again. The seal shows an entry that was written
or changed by hand without care; it is no proof against somebody who wants to deceive.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpibook.catalog import Catalog
    from kpibook.definition import Definition

NAME = "admitted.json"
#: The first-party pack, whose own tests admit it.
OWN = f"kpibook {version('kpibook')}"


def is_admitted(catalog: Catalog, kpi: str) -> bool:
    """Whether a KPI's definition, with the settings it comes with, was admitted."""
    source = catalog.kpis[kpi]
    if source.origin == OWN:
        return True
    entry = entries(folder(source.definition)).get(kpi)
    expected = catalog.resolve().kpis[kpi].hash
    return (
        bool(expected) and entry is not None and entry.get("hash") == expected and entry.get("seal") == seal(kpi, entry)
    )


def folder(definition: Definition) -> Path:
    """Where the file of a definition lies."""
    return Path(inspect.unwrap(definition.function).__code__.co_filename).parent


def entries(place: Path) -> dict[str, dict[str, Any]]:
    """The entries of a folder by KPI; none where the file is not there or is no such file."""
    try:
        found = json.loads((place / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    kpis = found.get("kpis") if isinstance(found, dict) else None
    return {k: e for k, e in kpis.items() if isinstance(e, dict)} if isinstance(kpis, dict) else {}


def seal(kpi: str, entry: Mapping[str, Any]) -> str:
    """The hash over an entry's other values."""
    values = {name: value for name, value in entry.items() if name != "seal"}
    return hashlib.sha256(json.dumps([kpi, values], sort_keys=True).encode()).hexdigest()


def record(place: Path, admitted: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write entries beside those that are there; each gets its seal."""
    known = entries(place) | {kpi: {**entry, "seal": seal(kpi, entry)} for kpi, entry in admitted.items()}
    path = place / NAME
    text = json.dumps({"kpis": dict(sorted(known.items()))}, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path
