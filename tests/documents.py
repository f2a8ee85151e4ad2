"""Passages of the documentation made of the code: ``make docs`` lays them in, ``make lint`` finds them out of date."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops

from intake.corpus import CASES
from kpibook.definition import Definition
from kpibook.expressions import AGGREGATES, FUNCTIONS
from kpibook.intake.severities import RULES
from kpibook.params import Cost, Limits, ParamsFile, Privacy, SourceColumn, TableMapping, Target, json_schema
from kpibook.params_exports import Exports
from kpibook.params_schedule import Schedule
from kpibook.plugins import discover
from kpibook.tracing import Resolution, roots

HERE = Path(__file__).parent
ROOT = HERE.parent
#: The models of a params file in the order of the page, with the place of their keys.
MODELS = {
    ParamsFile: "The file",
    TableMapping: "`tables:`, one entry for each canonical table",
    SourceColumn: "`tables: columns:`, a column with options of its own",
    Target: "`targets:`, each",
    Cost: "`costs:`, each",
    Exports: "`exports:`, as keys",
    Schedule: "`schedule:`, when it is a mapping",
    Limits: "`limits:`",
    Privacy: "`privacy:`",
}
#: KPIs named below a view.
SHOWN = 4
#: Words of JSON Schema as a reader of YAML says them.
TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def params() -> str:
    """Every key of a params file: type, default, example, meaning."""
    return "\n".join(line for model, title in MODELS.items() for line in _keys(model.__name__, title))


def keys(model: str) -> Mapping[str, Mapping[str, Any]]:
    """The keys of one model, as the JSON Schema has them."""
    schema = json_schema()
    found: Mapping[str, Mapping[str, Any]] = (schema if model == "ParamsFile" else schema["$defs"][model])["properties"]
    return found


def files() -> str:
    """Classes of files and how they end: the manifest's, then ours."""
    manifest = json.loads((HERE / "intake" / "bad_inputs" / "manifest.json").read_text(encoding="utf-8"))
    rows = [
        (m["group"], m["issue"], m["expect"], ", ".join(f"`{w}`" for w in m.get("message_must_mention", [])))
        for m in manifest["files"]
    ]
    rows += [(c.group, c.issue, c.verdict, ", ".join(f"`{w}`" for w in c.says)) for c in CASES]
    return _table(("group", "class", "verdict", "the message says"), rows)


def severities() -> str:
    """When each rule's finding is serious, and when it is to be checked; the rules that can be serious first."""
    judged = sorted(RULES.items(), key=lambda rule: (not rule[1].serious, not rule[1].to_check, rule[0]))
    never = ", ".join(f"`{name}`" for name, one in judged if not any(one))
    rows = [(f"`{name}`", one.serious or "never", one.to_check or "never") for name, one in judged if any(one)]
    return f"{_table(('rule', 'serious', 'to check'), rows)}\n\nFor information only, or always in order: {never}."


def functions() -> str:
    """What an expression may call, and what besides where rows are grouped."""
    called, grouped = (", ".join(f"`{name}`" for name in names) for names in (FUNCTIONS, AGGREGATES))
    return f"Functions: {called}.\n\nWith `one_row_per` also: {grouped}."


def views() -> str:
    """The first-party pack's views: a paragraph, their settings, and a table of their columns."""
    catalog = discover().catalog
    resolution = catalog.resolve()
    above = readers(resolution)
    found = []
    for name, source in sorted(catalog.views.items()):
        if source.origin.startswith("kpibook "):
            schema = resolution.views[name].schema()
            found += [f"### `{name}`", "", *_view(source.definition, schema, above.get(name, [])), ""]
    return "\n".join(found).rstrip()


def readers(resolution: Resolution) -> Mapping[str, Sequence[str]]:
    """The KPIs that rest on each view, directly or by another one."""
    found: dict[str, list[str]] = {}
    for kpi in resolution.kpis.values():
        estimates = [] if kpi.estimate is None else [kpi.estimate, *kpi.estimate.variants.values()]
        nodes = [node for estimate in estimates for node in roots(estimate)]
        asked = [name for name in kpi.definition.columns if name in resolution.views]
        nodes += [ops.UnboundTable(name, resolution.schemas[name]) for name in asked]
        for name in resolution.lineage.reads(nodes)[1]:
            found.setdefault(name, []).append(kpi.id)
    return found


def _below(kpis: Sequence[str]) -> str:
    if not kpis:
        return "For breakdowns only."
    more = f" and {len(kpis) - SHOWN} more" if len(kpis) > SHOWN else ""
    return f"Below {', '.join(f'`{k}`' for k in kpis[:SHOWN])}{more}."


def verbs() -> str:
    """What ``make help`` prints."""
    command = ["make", "--no-print-directory", "help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return f"```console\n$ make help\n{said.stdout}```"


def _view(definition: Definition, schema: Any, kpis: Sequence[str]) -> Iterator[str]:
    title = f"{definition.title}: {definition.text}" if definition.text else f"{definition.title}."
    yield title
    yield ""
    key, date = ", ".join(f"`{c}`" for c in definition.key), f"`{definition.date}`" if definition.date else ""
    placed = date or ("its `period_id`" if "period_id" in schema else "none: it counts whole in every period")
    facts = [f"one row per {key}" if key else "no key", f"date: {placed}"]
    facts += [f"describes `{definition.describes}`"] if definition.describes else []
    facts += [f"settings {', '.join(f'`{n}: {_yaml(v)}`' for n, v in definition.settings.items())}"] * bool(
        definition.settings
    )
    yield f"{'; '.join(facts)}. From {', '.join(f'`{i}`' for i in definition.inputs)}. {_below(kpis)}"
    yield ""
    yield ", ".join(f"`{name}` {_kind(kind)}" for name, kind in schema.items())


def _kind(kind: Any) -> str:
    """A type as SQL says it, small."""
    return str(kind).removeprefix("!").partition("(")[0]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])


def _keys(model: str, title: str) -> Iterator[str]:
    schema, rows = json_schema(), []
    required = (schema if model == "ParamsFile" else schema["$defs"][model]).get("required", ())
    for name, field in keys(model).items():
        example = f"`{name}: {_yaml(field['examples'][0])}`"
        default = "required" if name in required else _default(field.get("default"))
        rows.append((f"`{name}`", _type(field), default, example, field["description"]))
    yield from (f"### {title}", "", _table(("key", "type", "default", "example", "meaning"), rows), "")


def _default(value: Any) -> str:
    return "" if value in (None, [], {}) else f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = value[:1].isalnum() and not set(value) & set(",:{}[]#'\"") and not value[:1].isdigit()
    return value if plain or value.replace("-", "").isdigit() else json.dumps(value)


def _type(field: Mapping[str, Any]) -> str:
    """What may stand at a key, in words."""
    if "$ref" in field:
        return "mapping, below"
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(one) for one in field["anyOf"] if one.get("type") != "null"))
    if "enum" in field:
        shown = [f"`{json.dumps(v)}`" if not v.isidentifier() else f"`{v}`" for v in field["enum"]]
        return " ".join(shown)
    kind = field["type"]
    if kind == "array":
        return f"list of {_type(field['items'])}" if field["items"].get("type") else "list, below"
    if kind == "object":
        return "mapping"
    if "minimum" in field:
        return f"{TYPES[kind]}, {field['minimum']} to {field['maximum']}"
    return {"date": "date", "path": "path"}.get(field.get("format", ""), TYPES[kind])
