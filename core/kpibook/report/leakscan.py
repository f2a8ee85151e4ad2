"""No secret leaves with a report: the values behind ``${NAME}`` must stand in none of its files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpibook.errors import Problem, RunError
from kpibook.report import spellings
from kpibook.report.searchable import searchable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: In a URL, what stands for the user, and for host, port and database, is no secret.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<user>[^\s:@/?#]*)(?::[^\s@]*)?@(?P<place>[^\s?#'\"]*)")
_SPACE = re.compile(r"(?:\s|\\n)+")


@dataclass(frozen=True)
class Secrets:
    """What to look for by variable, and variables that are not: too short to be told from chance, not set."""

    spellings: Mapping[str, frozenset[str]]
    too_short: tuple[str, ...] = ()
    not_set: tuple[str, ...] = ()
    plain: Mapping[str, frozenset[str]] = field(default_factory=dict)
    packed: Mapping[str, frozenset[str]] = field(default_factory=dict)


def names(params_text: str) -> tuple[str, ...]:
    """The variables that a params file refers to."""
    return tuple(sorted(set(REFERENCE.findall(params_text))))


def referenced(params_text: str, environment: Mapping[str, str] = os.environ) -> Secrets:
    """The secrets a params file refers to, with each way in which their values may be written."""
    open_ones = [name for url in _URL.finditer(params_text) for name in REFERENCE.findall(url["user"] + url["place"])]
    every = REFERENCE.findall(params_text)
    looked_for = sorted({name for name in every if every.count(name) > open_ones.count(name)})
    values = {name: environment[name] for name in looked_for if environment.get(name)}
    plain = {name: frozenset(found) for name, value in values.items() if (found := spellings.parts(value))}
    return Secrets(
        {
            name: frozenset(form for text in texts for form in spellings.spellings(text))
            for name, texts in plain.items()
        },
        tuple(name for name in values if name not in plain),
        tuple(name for name in looked_for if name not in values),
        plain,
        {name: frozenset(form for text in texts for form in spellings.packed(text)) for name, texts in plain.items()},
    )


def scan(texts: Iterable[tuple[str, str]], secrets: Secrets) -> list[tuple[str, str]]:
    """(file, variable) for each value that is found, never the value."""
    return [(name, variable) for name, text in texts for variable in _hits(text, secrets)]


def _hits(text: str, secrets: Secrets) -> list[str]:
    if not secrets.spellings:
        return []
    undone = [*spellings.readings(text)]
    joined = _SPACE.sub("", text)
    return [
        variable
        for variable, words in secrets.spellings.items()
        if any(word in text for word in words)
        or any(word in each for word in secrets.plain.get(variable, ()) for each in undone)
        or any(word in joined for word in secrets.packed.get(variable, ()))
    ]


def refuse(found: list[tuple[str, str]]) -> None:
    """RunError that names file and variable."""
    if found:
        remedy = "find out which output shows it, and take it out; change the secret if the file has left your hands"
        raise RunError([Problem(name, f"holds the value of ${{{variable}}}", remedy) for name, variable in found])


def texts(folder: Path, paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(name, name and text) of each file; RunError when one cannot be searched."""
    for path in paths:
        name, text = path.relative_to(folder).as_posix(), searchable(path)
        if text is None:
            what = "cannot be searched for secrets: it is broken, encrypted, or packed in an unknown way"
            raise RunError(Problem(name, what, "let the notebook leave no such file"))
        yield name, f"{name}\n{text}"
