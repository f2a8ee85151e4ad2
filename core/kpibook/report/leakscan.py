"""No secret leaves with a report: the values behind ``${NAME}`` must stand in none of its files."""

from __future__ import annotations

import html
import json
import os
import re
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SHORTEST = 6


@dataclass(frozen=True)
class Secrets:
    """The spellings to look for by variable, and variables too short to be told from chance."""

    spellings: Mapping[str, frozenset[str]]
    too_short: tuple[str, ...]


def referenced(params_text: str, environment: Mapping[str, str] = os.environ) -> Secrets:
    """The variables a params file refers to, with each way in which their values may be written."""
    names = sorted(set(REFERENCE.findall(params_text)))
    values = {name: environment[name] for name in names if environment.get(name)}
    spellings = {name: frozenset(_spellings(value)) for name, value in values.items()}
    return Secrets(
        {name: found for name, found in spellings.items() if found},
        tuple(name for name, found in spellings.items() if not found),
    )


def _spellings(value: str) -> Iterator[str]:
    password = urllib.parse.urlsplit(value).password if "://" in value else None
    for text in {value, password or "", urllib.parse.unquote(password or "")}:
        if len(text) >= SHORTEST:
            yield text
            yield urllib.parse.quote(text, safe="")
            yield html.escape(text)
            yield json.dumps(text)[1:-1]
            yield json.dumps(text, ensure_ascii=False)[1:-1]


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
    """(name, text) of each file; of a Parquet file, which is compressed, the text columns and the metadata."""
    for path in paths:
        name = path.relative_to(folder).as_posix()
        yield name, _parquet(path) if path.suffix == ".parquet" else path.read_text(encoding="utf-8", errors="replace")


def _parquet(path: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    parts = [str(table.schema.names), str(table.schema.metadata)]
    for column in table.columns:
        if not pa.types.is_primitive(column.type):
            parts += [str(value) for value in column.to_pylist() if value is not None]
    return "\n".join(parts)
