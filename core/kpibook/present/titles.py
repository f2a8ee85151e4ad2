"""A KPI's title and definition in the report's language.

A pack ships gettext catalogues beside its modules: ``locale/<language>.po``, or several in
``locale/<language>/``. The message id is the English sentence: a title, a definition, a
question, a reason. What is not translated stays English.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from kpibook.definition import Definition


def sentences(definitions: Iterable[Definition], language: str) -> dict[str, str]:
    """All translated sentences of the packs that the definitions come from."""
    known: dict[str, str] = {}
    for folder in sorted({_folder(definition) for definition in definitions}):
        known.update(_messages(folder, language))
    return known


def translated(definition: Definition, language: str) -> tuple[str, str]:
    """(title, definition in words)."""
    known = _messages(_folder(definition), language)
    return known.get(definition.title) or definition.title, known.get(definition.text) or definition.text


def reread() -> None:
    """Forget the catalogues: in a notebook their author goes on writing."""
    _messages.cache_clear()


def _folder(definition: Definition) -> Path:
    return Path(inspect.unwrap(definition.function).__code__.co_filename).parent / "locale"


@cache
def _messages(folder: Path, language: str) -> Mapping[str, str]:
    known: dict[str, str] = {}
    for path in (folder / f"{language}.po", *sorted((folder / language).glob("*.po"))):
        if path.is_file():
            with path.open("rb") as file:
                known.update({str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id and m.string})
    return known
