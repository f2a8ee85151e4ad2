"""What a definition is: a KPI or a view, read off one small function.

Positional parameters name canonical tables or views; keyword-only parameters are
settings with typed defaults (``Literal`` for a choice); the first docstring sentence is "Title: definition".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from kpibook import intact
from kpibook.errors import PluginError, Problem, did_you_mean
from kpibook.rules import SINGLE

#: ``before``, a setting's name, or a function of a window and the settings.
LooksBack: TypeAlias = str | Callable[[Any, Mapping[str, Any]], date | None] | None

UNITS = (
    "money",
    "percent",
    "ratio",
    "count",
    "persons",
    "receipts",
    "days",
    "index",
    "points",
    "purchases",
    "minutes",
    "months",
    "waves",
)
#: Units that a column of a KPI's table may have besides: percentage points, and that of the KPI which the row names.
TABLE_UNITS = (*UNITS, "pp", "of_kpi")
BETTER = ("higher", "lower", "target", "neutral")


@dataclass(frozen=True)
class Definition:
    """A KPI (``kind == "kpi"``) or a view. Calling it calls the function, behind a guard for the process and pandas."""

    id: str
    kind: str
    function: Callable[..., Any]
    title: str
    text: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    frames: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    not_by: Mapping[str, str] = field(default_factory=dict)
    table_units: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    better: str = "neutral"
    family: str = ""
    question: str = ""
    breakdowns: tuple[str, ...] = ()
    by_columns: bool = True
    looks_back: LooksBack = None
    key: tuple[str, ...] = ()
    date: str | None = None
    describes: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            value = self.function(*args, **kwargs)
        except SystemExit:
            what = "it asks the process to end (SystemExit)"
            raise PluginError(Problem(self.where, what, "raise another exception, or return")) from None
        if replaced := intact.put_back():
            what = f"it replaces {', '.join(replaced)}"
            raise PluginError(Problem(self.where, what, "write a function of your own, and leave pandas as it is"))
        return value

    @property
    def where(self) -> str:
        """file:line of the function, the file by its name."""
        code = inspect.unwrap(self.function).__code__
        return f"{Path(code.co_filename).name}:{code.co_firstlineno}"

    def with_settings(self, given: Mapping[str, Any], where: Callable[[str], str]) -> dict[str, Any]:
        """Defaults overridden by ``given``; unknown names and wrong types are told with ``where(name)``."""
        problems = []
        for name, value in given.items():
            if name not in self.settings:
                remedy = did_you_mean(name, self.settings) if self.settings else "remove it, it has no settings"
                problems.append(Problem(where(name), f"'{self.id}' has no setting '{name}'", remedy))
            elif value not in self.choices.get(name, (value,)):
                remedy = did_you_mean(str(value), [str(c) for c in self.choices[name]])
                problems.append(Problem(where(name), f"{value!r} is none of its choices", remedy))
            elif not _fits(value, self.settings[name]):
                wanted = type(self.settings[name]).__name__
                problems.append(
                    Problem(where(name), f"{value!r} is not of type {wanted}", f"give a value of type {wanted}")
                )
        if problems:
            raise PluginError(problems)
        return {**self.settings, **given}


def kpi(
    *,
    unit: str,
    better: str,
    family: str | None = None,
    question: str = "",
    breakdowns: tuple[str, ...] | list[str] = (),
    by_columns: bool = True,
    looks_back: LooksBack = None,
    columns: Mapping[str, list[str]] | None = None,
    optional: tuple[str, ...] | list[str] = (),
    not_by: Mapping[str, str] | None = None,
    table_units: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Definition]:
    """Make a KPI of a function from tables or views to an estimate.

    unit: money, percent, ratio, count, persons, receipts, days, index, points, purchases, minutes, months, waves.
    better: higher, lower, target, neutral.
    family: the chapter; the module's name when not given.
    question: what a director asks that this KPI answers.
    breakdowns: columns by which this KPI is always shown, beside those of the params file.
    by_columns: False for a KPI that ranks everybody: parts of it by a column would mean something else.
    looks_back: how far before a period it reads: ``before`` (one preceding period of equal
        length), the name of a setting that holds days counted back from the period's end, or
        a function ``(window, settings)`` giving the first day needed, None for no more than the period.
    columns: for parameters annotated ``pd.DataFrame``, the columns wanted.
    optional: those of them that the KPI can do without: a client who lacks their tables gets them empty, and so
        does a breakdown that says nothing of their rows.
    not_by: columns by which a KPI in pandas cannot be known, each with the reason (``because``) that stands beside its
        segments; empty where the KPI's own ``parts`` have that dimension.
    table_units: of the columns of the table beside the figure, ``{"effect": "money"}``: any unit, ``pp``, or
        ``of_kpi`` for the unit of the KPI that the row's column ``kpi`` names. Others are plain numbers.
    """

    def decorate(function: Callable[..., Any]) -> Definition:
        facts = {"unit": unit, "better": better, "looks_back": looks_back, "by_columns": by_columns}
        definition = _define(function, "kpi", **facts, breakdowns=tuple(breakdowns))
        given = {name: tuple(names) for name, names in (columns or {}).items()}
        chapter = family or function.__module__.rpartition(".")[2]
        problems = [*_problems(definition, given), *_unknown(definition, optional, not_by or {})]
        problems += _table_problems(definition, table_units or {})
        if problems:
            raise PluginError(problems)
        more = {"family": chapter, "question": question, "columns": given}
        more |= {"optional": tuple(optional), "not_by": dict(not_by or {}), "table_units": dict(table_units or {})}
        return Definition(**{**vars(definition), **more})

    return decorate


def view(
    *,
    key: str | tuple[str, ...] = (),
    date: str | None = None,
    describes: str | None = None,
) -> Callable[[Callable[..., Any]], Definition]:
    """Make a shared step of a function from tables or views to a table; materialised once a run.

    key: the column or columns that identify a row.
    date: the column that places a row in a period (views with a ``period_id`` need none).
    describes: the column (such as customer_id) whose persons this view describes; its other
        columns may then be used as breakdowns by any KPI whose rows carry that column.
    """

    def decorate(function: Callable[..., Any]) -> Definition:
        definition = _define(function, "view")
        keys = (key,) if isinstance(key, str) else tuple(key)
        return Definition(**{**vars(definition), "key": keys, "date": date, "describes": describes})

    return decorate


def _table_problems(definition: Definition, units: Mapping[str, str]) -> list[Problem]:
    where = f"{definition.where}: {definition.id}"
    return [
        Problem(where, f"unknown unit '{unit}' of the table's column '{name}'", did_you_mean(unit, TABLE_UNITS))
        for name, unit in units.items()
        if unit not in TABLE_UNITS
    ]


def _define(function: Callable[..., Any], kind: str, **facts: Any) -> Definition:
    parameters = inspect.signature(function).parameters.values()
    title, text = _sentence(function)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    hints = get_type_hints(function) if function.__annotations__ else {}
    return Definition(
        id=function.__name__,
        kind=kind,
        function=function,
        title=title,
        text=text,
        inputs=tuple(p.name for p in positional),
        settings={p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY},
        choices={p.name: get_args(hints[p.name]) for p in parameters if get_origin(hints.get(p.name)) is Literal},
        frames=tuple(p.name for p in positional if _is_frame(hints.get(p.name))),
        **facts,
    )


def _is_frame(hint: Any) -> bool:
    return getattr(hint, "__name__", "") == "DataFrame" and getattr(hint, "__module__", "").startswith("pandas")


def _sentence(function: Callable[..., Any]) -> tuple[str, str]:
    """Title and definition: the docstring's first sentence, split at its first colon."""
    text = " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
    title, colon, rest = text.partition(":")
    if not colon:
        return title.rstrip("."), ""
    return title.strip(), rest.strip()


def _problems(definition: Definition, columns: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    where = f"{definition.where}: {definition.id}"
    found = []
    if not definition.title or not definition.text:
        what = "the docstring does not begin with 'Title: definition in words'"
        found.append(Problem(where, what, "write, for example, 'Average receipt: net sales per receipt.'"))
    if not definition.id.isidentifier():
        found.append(Problem(where, "its name is not a plain one", "call the function by letters, digits and _"))
    if definition.unit not in UNITS:
        found.append(Problem(where, f"unknown unit '{definition.unit}'", did_you_mean(definition.unit, UNITS)))
    if definition.better not in BETTER:
        found.append(Problem(where, f"unknown better '{definition.better}'", did_you_mean(definition.better, BETTER)))
    for name, default in definition.settings.items():
        if default is inspect.Parameter.empty:
            found.append(Problem(where, f"setting '{name}' has no default", f"write {name}: int = 90"))
    if not callable(definition.looks_back) and definition.looks_back not in (None, "before", *definition.settings):
        what = f"looks_back '{definition.looks_back}' is neither 'before' nor a setting"
        found.append(Problem(where, what, did_you_mean(str(definition.looks_back), ["before", *definition.settings])))
    found += [
        Problem(where, f"it is broken down by '{name}': single persons are not shown", "name what they have in common")
        for name in definition.breakdowns
        if name in SINGLE
    ]
    found += [
        Problem(where, f"'{name}' is a DataFrame without columns", f"add columns={{'{name}': [...]}} to @kpi")
        for name in definition.frames
        if name not in columns
    ]
    if definition.frames and len(definition.frames) != len(definition.inputs):
        found.append(
            Problem(where, "it mixes DataFrames and tables", "annotate all table parameters pd.DataFrame, or none")
        )
    return found


def _unknown(definition: Definition, optional: tuple[str, ...] | list[str], not_by: Mapping[str, str]) -> list[Problem]:
    where = f"{definition.where}: {definition.id}"
    found = []
    if not_by and not definition.frames:
        what = "not_by is for KPIs in pandas, and its parameters are tables"
        found.append(Problem(where, what, "remove it, or annotate the parameters pd.DataFrame"))
    return found + [
        Problem(where, f"optional '{name}' is not one of its DataFrames", did_you_mean(name, definition.frames))
        for name in optional
        if name not in definition.frames
    ]


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return default is None or isinstance(value, type(default))
