"""What a finished report must say of itself, so that it can be handed over in other forms without its plugins.

``definitions.json`` has, in the report's language, title, text, settings and needs of every KPI, and those sentences
of the packs that its figures speak in. Queries are not in it: all of Complete Journey's together took a minute and
6 MB, and most are too long for a cell of a workbook; ``kpibook sql`` prints each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kpibook.present import definition_texts

if TYPE_CHECKING:
    import pandas as pd

    from kpibook.catalog import Catalog
    from kpibook.params import Params
    from kpibook.present.words import Words
    from kpibook.tracing import Resolution

NAME = "definitions.json"


def told(resolution: Resolution, titles: Mapping[str, tuple[str, str]], words: Words) -> dict[str, tuple[str, str]]:
    """Title and text of every KPI that was resolved, the text with the values of its settings."""
    kpis = resolution.kpis.values()
    return {k.id: (titles[k.id][0], definition_texts.told(titles[k.id][1], k.settings, words)) for k in kpis}


def document(
    params: Params,
    catalog: Catalog,
    resolution: Resolution,
    titles: Mapping[str, tuple[str, str]],
) -> dict[str, Any]:
    """The report's frame and its KPIs in the catalogue's order."""
    kpis = {}
    for kpi in resolution.kpis.values():
        definition = catalog.kpis[kpi.id].definition
        title, text = titles[kpi.id]
        kpis[kpi.id] = {
            "title": title,
            "text": text,
            "unit": definition.unit,
            "settings": {name: str(value) for name, value in sorted(kpi.settings.items())},
            "needs": [f"{table}.{c}" for table, columns in kpi.needs.items() for c in sorted(columns)],
            "looks_back": window(definition.looks_back),
            "table_units": dict(definition.table_units),
            "hash": kpi.hash,
            "origin": kpi.origin,
        }
    compare = params.compare
    frame = {
        "title": params.title,
        "language": params.language,
        "currency": params.currency,
        "timezone": params.timezone,
        "period": [params.period.start.isoformat(), params.period.last.isoformat()],
        "compare": [compare.start.isoformat(), compare.last.isoformat()] if compare else None,
        "notes": list(params.notes),
    }
    return {"report": frame, "kpis": kpis}


def window(looks_back: Any) -> str:
    """``before`` where the window before the period counts, ``own`` for one of the KPI's own, else empty."""
    return "" if looks_back is None else "before" if looks_back == "before" else "own"


def spoken(sentences: Mapping[str, str], card: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The sentences of packs that a figure of this report may be said in."""
    said = {*_segments(card), *(text for reason in _texts(card["reason"]) for text in _within(reason))}
    for table in tables.values():
        said |= {str(name) for name in table.columns}
        for column in table.columns:
            said |= set(_texts(table[column]))
    said |= {text.replace("_", " ") for text in said}
    return {text: sentences[text] for text in sorted(said) if text in sentences}


def _segments(card: pd.DataFrame) -> set[str]:
    return {*_texts(card["segment_by"]), *_texts(card["segment"])}


def _texts(column: Iterable[Any]) -> set[str]:
    return {value for value in column if isinstance(value, str)}


def _within(reason: str) -> Iterator[str]:
    """The sentences of a reason, and of those within it."""
    if not reason.startswith('{"'):  # a sentence may begin with a placeholder
        return
    for value in json.loads(reason).values():
        if isinstance(value, str):
            yield value
            yield from _within(value)
