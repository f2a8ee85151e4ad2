"""Pydantic's errors in our words, with file, line and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from kpibook.errors import Problem, did_you_mean
from kpibook.yaml_lines import LONGEST_SHOWN, Document, Key, dotted

ModelAt = Callable[[tuple[Key, ...]], type[BaseModel] | None]

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
    "path_type": "a path",
    "date_type": "a date",
    "date_parsing": "a date",
    "date_from_datetime_parsing": "a date",
    "date_from_datetime_inexact": "a date without a time",
}
_REMEDY = {
    "text": "put it in quotes",
    "a date": "write it as 2017-07-01",
    "a date without a time": "write it as 2017-07-01",
    "keys and values": "write 'key: value' lines below it",
    "a list": "write [a, b]",
}
_PATTERNS = {
    "client": "use small letters, digits and single hyphens",
    "memory": "write a number and MB, GB or TB, such as 4GB",
}


def from_pydantic(error: ValidationError, document: Document, model_at: ModelAt) -> list[Problem]:
    """One Problem for each error, a key's several union branches told once."""
    found: dict[tuple[Key, ...], Problem] = {}
    branches_of_text_last = sorted(error.errors(include_url=False), key=_is_text_branch)
    for detail in branches_of_text_last:
        path = _real_path(detail, document.data)
        found.setdefault(path, _problem(detail, path, document, model_at))
    return [problem for path, problem in found.items() if not any(_below(path, other) for other in found)]


def _is_text_branch(detail: Any) -> bool:
    """Where a text or something larger may stand, and something larger does: its own errors say more."""
    return detail["type"] == "string_type" and isinstance(detail["input"], list | dict)


def _below(path: tuple[Key, ...], other: tuple[Key, ...]) -> bool:
    """``other`` says more precisely what is wrong."""
    return len(other) > len(path) and other[: len(path)] == path


def _real_path(detail: Any, data: Any) -> tuple[Key, ...]:
    """The error's path without pydantic's own steps (names of union branches)."""
    path: list[Key] = []
    for key in detail["loc"]:
        if _holds(data, key):
            data = data[key]
            path.append(key)
    if detail["type"] == "missing":
        path.append(detail["loc"][-1])
    return tuple(path)


def _holds(data: Any, key: Key) -> bool:
    if isinstance(data, list):
        return isinstance(key, int) and key < len(data)
    return isinstance(data, dict) and key in data


def _problem(detail: Any, path: tuple[Key, ...], document: Document, model_at: ModelAt) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    where = f"{document.where(*path)}: {dotted(path)}"
    if kind == "kpibook":
        return Problem(where, context["what"], context["remedy"])
    if kind == "extra_forbidden":
        return Problem(where, "unknown key", did_you_mean(str(path[-1]), _keys(model_at(path[:-1]))))
    if kind == "missing":
        return Problem(where, "missing", f"add '{path[-1]}:'")
    value = _shown(detail["input"])
    if kind in _EXPECTED:
        expected = _EXPECTED[kind]
        return Problem(where, f"expected {expected}, found {value}", _REMEDY.get(expected, f"write {expected}"))
    if kind == "literal_error":
        return Problem(
            where, f"{value} is not known", did_you_mean(str(detail["input"]), _choices(context["expected"]))
        )
    if kind == "string_pattern_mismatch":
        return Problem(where, f"{value} does not fit", _PATTERNS.get(str(path[-1]), f"match {context.get('pattern')}"))
    if kind == "too_short":
        return Problem(where, "this is empty", "write at least one entry")
    return Problem(where, f"{value}: {detail['msg'].lower()}", "correct the value")


def _keys(model: type[BaseModel] | None) -> Iterator[str]:
    for name, field in model.model_fields.items() if model else ():
        yield field.alias or name


def _choices(expected: str) -> list[str]:
    return [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "keys and values" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= LONGEST_SHOWN else f"'{value[: LONGEST_SHOWN - 1]}…'"
    return str(value).lower() if isinstance(value, bool) else str(value)
