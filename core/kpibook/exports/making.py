"""From a finished folder to files in it: each whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.exports.extras import needed
from kpibook.exports.finished import read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

#: Form -> file in the report's folder, the module that writes it, and the library that this needs.
FORMS = {
    "pdf": ("report.pdf", "pdf", "typst"),
    "pptx": ("report.pptx", "slides", "pptx"),
    "summary": ("summary.pdf", "summary", "typst"),
    "xlsx": ("report.xlsx", "excel", "xlsxwriter"),
}
NAMES = tuple(name for name, *_ in FORMS.values())


def forms(asked: str) -> list[str]:
    """``pdf,xlsx`` as a list, each once; ParamsError with all that is no form."""
    names = list(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    strange = [Problem("--to", f"'{name}' is no form of a report", did_you_mean(name, FORMS)) for name in names]
    strange = [problem for problem, name in zip(strange, names, strict=True) if name not in FORMS]
    if strange or not names:
        raise ParamsError(strange or [Problem("--to", "no form is named", f"use one of: {', '.join(sorted(FORMS))}")])
    return names


def there(folder: Path) -> list[str]:
    """The forms that a report's folder holds."""
    return [form for form, (name, *_) in FORMS.items() if (folder / name).is_file()]


def ready(asked: Iterable[str]) -> None:
    """ParamsError when a library that a form needs is missing, before anything is made."""
    for form in asked:
        needed(FORMS[form][2], form)


@dataclass(frozen=True)
class Made:
    """The files in their places, and what must be told of them."""

    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def make(
    folder: Path, asked: Collection[str], check: Callable[[Path, list[Path]], None], template: Path | None = None
) -> Made:
    """Write each form beside the report; ``check`` sees them first. None takes its place unless all are whole.

    ``template`` is the client's own presentation, in which slides are set.
    """
    ready(asked)
    report = read(folder, template)
    aside = folder / f".exports-{secrets.token_hex(4)}"
    aside.mkdir()
    notes: list[str] = []
    try:
        for form in asked:
            name, module, _ = FORMS[form]
            notes += import_module(f"kpibook.exports.{module}").write(report, aside / name)
        made = sorted(aside.iterdir())
        check(aside, made)
        return Made(tuple(path.replace(folder / path.name) for path in made), tuple(notes))
    finally:
        shutil.rmtree(aside)
