"""A KPI's title and definition in the report's language.

A pack ships gettext catalogues in ``locale/<language>.po`` beside its modules; the
message id is the English sentence of the docstring. What is not translated stays English.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from kpibook.definition import Definition


def translated(definition: Definition, language: str) -> tuple[str, str]:
    """(title, definition in words)."""
    known = _messages(_folder(definition), language)
    return known.get(definition.title) or definition.title, known.get(definition.text) or definition.text


def is_translated(definition: Definition, language: str) -> bool:
    """Whether both sentences stand in the pack's catalogue of ``language``; English needs none."""
    known = _messages(_folder(definition), language)
    return language == "en" or bool(known.get(definition.title) and known.get(definition.text))


def _folder(definition: Definition) -> Path:
    return Path(inspect.unwrap(definition.function).__code__.co_filename).parent / "locale"


@cache
def _messages(folder: Path, language: str) -> Mapping[str, str]:
    path = folder / f"{language}.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}
