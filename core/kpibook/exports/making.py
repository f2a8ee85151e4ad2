"""From a finished folder to files in it: each whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from importlib import import_module
from typing import TYPE_CHECKING

from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.exports.extras import needed
from kpibook.exports.finished import read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

#: Form -> file in the report's folder, the module that writes it, and the library that this needs.
FORMS = {"pdf": ("report.pdf", "pdf", "typst"), "xlsx": ("report.xlsx", "excel", "xlsxwriter")}
NAMES = tuple(name for name, *_ in FORMS.values())


def forms(asked: str) -> list[str]:
    """``pdf,xlsx`` as a list, each once; ParamsError with all that is no form."""
    names = list(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    strange = [Problem("--to", f"'{name}' is no form of a report", did_you_mean(name, FORMS)) for name in names]
    strange = [problem for problem, name in zip(strange, names, strict=True) if name not in FORMS]
    if strange or not names:
        raise ParamsError(strange or [Problem("--to", "no form is named", f"use one of: {', '.join(sorted(FORMS))}")])
    return names


def ready(asked: Iterable[str]) -> None:
    """ParamsError when a library that a form needs is missing, before anything is made."""
    for form in asked:
        needed(FORMS[form][2], form)


def make(folder: Path, asked: Collection[str], check: Callable[[Path, list[Path]], None]) -> list[Path]:
    """Write each form beside the report; ``check`` sees them first. None takes its place unless all are whole."""
    ready(asked)
    report = read(folder)
    aside = folder / f".exports-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        for form in asked:
            name, module, _ = FORMS[form]
            import_module(f"kpibook.exports.{module}").write(report, aside / name)
        made = sorted(aside.iterdir())
        check(aside, made)
        return [path.replace(folder / path.name) for path in made]
    finally:
        shutil.rmtree(aside)
