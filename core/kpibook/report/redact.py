"""The evidence of a failed run is kept, the secrets in it are not."""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING, Any

from kpibook.report import leakscan
from kpibook.report.searchable import searchable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kpibook.report.leakscan import Secrets
    from kpibook.runs import RunRecord

TOLD = ("title", "inputs", "definitions", "broken_packs", "failed_kpis", "validation", "failure")


def evidence(folder: Path, record: RunRecord, secrets: Secrets) -> None:
    """Take the values behind ``${NAME}`` out of a folder and of its record, which says what was done.

    In a text the value is replaced; a file of another kind that holds one, one that still holds it in some other
    spelling, and one that cannot be searched, are removed.
    """
    for name in TOLD:
        setattr(record, name, value(getattr(record, name), secrets))
    redacted: dict[str, list[str]] = {}
    removed: dict[str, list[str]] = {}
    for path in _files(folder) if secrets.spellings else ():
        name = path.relative_to(folder).as_posix()
        text = searchable(path)
        hits = sorted(secrets.spellings) if text is None else [hit for _, hit in leakscan.scan([(name, text)], secrets)]
        if not hits:
            continue
        plain = None if path.suffix == ".parquet" else _decoded(path.read_bytes())
        without = None if plain is None else words(plain, secrets)
        if without is None or leakscan.scan([(name, without)], secrets):
            path.unlink()
            removed[name] = hits
        else:
            _put(path, without)
            redacted[name] = hits
    searched = {"searched": sorted(secrets.spellings), "too_short": list(secrets.too_short)}
    record.leak_scan = {**searched, "not_set": list(secrets.not_set), "redacted": redacted, "removed": removed}


def words(text: str, secrets: Secrets) -> str:
    """A text with each value replaced by the name of its variable."""
    spelled = [(word, name) for each in (secrets.spellings, secrets.packed) for name in each for word in each[name]]
    for word, name in sorted(spelled, key=lambda pair: (-len(pair[0]), pair)):
        text = text.replace(word, f"[value of ${{{name}}}]")
    return text


def value(found: Any, secrets: Secrets) -> Any:
    """The same for all texts in a JSON value."""
    if isinstance(found, str):
        return words(found, secrets)
    if isinstance(found, dict):
        return {words(key, secrets): value(each, secrets) for key, each in found.items()}
    return [value(each, secrets) for each in found] if isinstance(found, list) else found


def _files(folder: Path) -> Iterator[Path]:
    """Files that are the folder's own: what a link leads to belongs to somebody else."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _put(path: Path, text: str) -> None:
    """Replace a file rather than write into it: another name of the same file may stand elsewhere."""
    part = path.with_name(f".{random.token_hex(4)}.part")
    part.write_bytes(text.encode("utf-8"))
    part.replace(path)
