"""docs/definitions.md: which figure says what a reference says. `python -m tests.definitions.page` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import FOLDER, Reference, measured, names, of_source

PAGE = FOLDER.parents[1] / "docs" / "definitions.md"
SHOWN = 4
PREFACE = """\
# Definitions: which figure says what another calculation says

An auditor often has a number in hand: from the client's own report, a textbook, another tool. This page lists the
answers of {sources} reference sources, {answers} in all, and for each the figure of kpibook that says the same: the KPI
with its variant, segment and column, the table beside it, or the view behind it, and the settings that reach it.
{mapped} are reached; the rest says why there is no such figure.

How to reach one yourself:

1. Take the params file named above the table; it lies in
   [tests/definitions/params](../tests/definitions/params), and the data it reads in
   [tests/definitions/data](../tests/definitions/data), in an installed package, or made by `make samples`.
2. Where the table names settings of a KPI or view, write them under `settings:`; other keys (`change`) replace or
   add to those of the file.
3. `kpibook run tests/definitions/params/tickets.yaml` makes the report. The figures stand in `scorecard.csv`, by
   `kpi`, `period`, `segment_by` and `segment` (a variant is a segment of `segment_by` = variant), and the tables in
   `tables/<kpi>.parquet`. A view is a table in the script that `kpibook sql <kpi> <params>` prints for a KPI on it;
   [views.md](views.md) names KPIs on each.

Shares are fractions in the scorecard: 0.8 is a reference's 80 %, marked *times 100* here. Every row is a test
([tests/definitions](../tests/definitions)); this page is written from the same files by `make docs`.
"""


def text() -> str:
    """The whole page."""
    sources = [source for source in names() if of_source(source)]
    every = [r for source in sources for r in of_source(source)]
    mapped = sum(not r.none for r in every)
    parts = [PREFACE.format(sources=len(sources), answers=len(every), mapped=mapped)]
    return "\n".join([*parts, *(line for source in sources for line in _section(source))])


def _section(source: str) -> Iterator[str]:
    own = of_source(source)
    found, without = [r for r in own if not r.none], [r for r in own if r.none]
    files = sorted({r.params for r in found})
    yield f"## {source}\n"
    if files:
        yield f"Params: {', '.join(f'[{f}](../tests/definitions/params/{f})' for f in files)}.\n"
    if measured(source):
        yield f"{_inline(measured(source).strip())}\n"
    if found:
        many = len(files) > 1
        yield "| reference | figure | segment, column | settings | expected | note |\n|---|---|---|---|---|---|"
        for r in found:
            cells = [f"`{r.id}`", _figure(r), _place(r), _settings(r, many), _expected(r), r.note]
            yield "| " + " | ".join(_inline(cell) for cell in cells) + " |"
        yield ""
    if without:
        yield "| reference | why kpibook has no such figure |\n|---|---|"
        reasons: dict[str, list[str]] = {}
        for r in without:
            reasons.setdefault(r.none, []).append(f"`{r.id}`")
        for why, ids in reasons.items():
            yield f"| {', '.join(ids)} | {_inline(why)} |"
        yield ""


def _figure(r: Reference) -> str:
    kind = next(k for k in ("kpi", "table", "view") if k in r.origin)
    return f"{'KPI' if kind == 'kpi' else kind} `{r.origin[kind]}`"


def _place(r: Reference) -> str:
    o = r.origin
    where = [f"{c} = {' or '.join(map(str, v)) if isinstance(v, list) else v}" for c, v in o.get("where", {}).items()]
    by = [f"by {o['by']}"] if "by" in o else []
    times = [f"times {o['times']}"] if "times" in o else []
    if "kpi" in o:
        period = ["comparison period"] if o.get("period", "current") != "current" else []
        segment_by = o.get("segment_by", "")
        if "variant" in o or segment_by == "variant":
            segment = (
                f"variant `{o.get('variant') or o['segment']}`" if o.get("variant") or o.get("segment") else "variants"
            )
        elif segment_by in ("", "total"):
            segment = "total"
        else:
            segment = f"{segment_by} `{o['segment']}`" if "segment" in o else f"by {segment_by}"
        less = [f"less `{o['less']}`"] if "less" in o else []
        parts = [segment, *period, f"`{o.get('column', 'value')}`", *less, *times]
    elif "table" in o:
        at = [f"at {o['at']}"] if "at" in o else []
        parts = [*where, *by, *at, f"sum of `{o['sum']}`" if "sum" in o else f"`{o['column']}`", *times]
    else:
        how = next(k for k in ("sum", "mean", "median", "min", "max", "count", "distinct") if k in o)
        parts = [f"{how} of `{o[how]}`" if o[how] != "rows" else "number of rows", *where, *by, *times]
    return ", ".join(parts)


def _settings(r: Reference, many: bool) -> str:
    parts = [r.params] if many else []
    parts += [f"`{kpi}: {_yaml(given)}`" for kpi, given in r.settings.items()]
    parts += [f"change `{key}: {_yaml(value)}`" for key, value in r.change.items()]
    return "; ".join(parts)


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _expected(r: Reference) -> str:
    wanted = r.expected
    if not isinstance(wanted, Mapping):
        return "undefined" if wanted is None else str(wanted)
    if set(wanted) == {"python"}:
        module = wanted["python"].partition(".")[0]
        return f"[{wanted['python']}](../tests/definitions/reference/{module}.py)"
    shown = [f"{segment}: {value}" for segment, value in [*wanted.items()][:SHOWN]]
    more = [f"and {len(wanted) - SHOWN} more"] if len(wanted) > SHOWN else []
    return "; ".join([*shown, *more])


def _inline(cell: str) -> str:
    return " ".join(str(cell).split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
