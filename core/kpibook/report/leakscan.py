"""No secret leaves with a report: the values behind ``${NAME}`` must stand in none of its files."""

from __future__ import annotations

import html
import json
import os
import re
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SHORTEST = 6


@dataclass(frozen=True)
class Secrets:
    """The spellings to look for by variable, and variables that are not: too short to be told from chance, not set."""

    spellings: Mapping[str, frozenset[str]]
    too_short: tuple[str, ...] = ()
    not_set: tuple[str, ...] = ()


def referenced(params_text: str, environment: Mapping[str, str] = os.environ) -> Secrets:
    """The variables a params file refers to, with each way in which their values may be written."""
    names = sorted(set(REFERENCE.findall(params_text)))
    values = {name: environment[name] for name in names if environment.get(name)}
    spellings = {name: frozenset(_spellings(value)) for name, value in values.items()}
    return Secrets(
        {name: found for name, found in spellings.items() if found},
        tuple(name for name, found in spellings.items() if not found),
        tuple(name for name in names if name not in values),
    )


def _spellings(value: str) -> Iterator[str]:
    password = urllib.parse.urlsplit(value).password if "://" in value else None
    for text in {value, password or "", urllib.parse.unquote(password or "")}:
        if len(text) >= SHORTEST:
            for form in (text, repr(text)[1:-1], urllib.parse.quote(text, safe=""), html.escape(text)):
                yield form
                yield json.dumps(form)[1:-1]
                yield json.dumps(form, ensure_ascii=False)[1:-1]


def scan(texts: Iterable[tuple[str, str]], secrets: Secrets) -> list[tuple[str, str]]:
    """(file, variable) for each value that is found, never the value."""
    found = []
    for name, text in texts:
        hits = [variable for variable, words in secrets.spellings.items() if any(word in text for word in words)]
        found += [(name, variable) for variable in hits]
    return found


def refuse(found: list[tuple[str, str]]) -> None:
    """RunError that names file and variable."""
    if found:
        remedy = "find out which output shows it, and take it out; change the secret if the file has left your hands"
        raise RunError([Problem(name, f"holds the value of ${{{variable}}}", remedy) for name, variable in found])


def texts(folder: Path, paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(name, text) of each file; RunError when one cannot be searched."""
    for path in paths:
        name, text = path.relative_to(folder).as_posix(), searchable(path)
        if text is None:
            what = "is no Parquet file, and cannot be searched for secrets"
            raise RunError(Problem(name, what, "let the notebook leave no such file"))
        yield name, text


def searchable(path: Path) -> str | None:
    """A file as text: of a Parquet file, which is compressed, text columns and metadata; None when it is broken."""
    return _parquet(path) if path.suffix == ".parquet" else path.read_text(encoding="utf-8", errors="replace")


def _parquet(path: Path) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException:
        return None
    parts = [str(table.schema.names), str(table.schema.metadata)]
    for column in table.columns:
        if not pa.types.is_primitive(column.type):
            parts += [str(value) for value in column.to_pylist() if value is not None]
    return "\n".join(parts)
