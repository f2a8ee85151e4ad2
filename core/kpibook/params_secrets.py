"""No secret is written out in a params file: ``${NAME}`` takes its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem
from kpibook.yaml_lines import Document, Key

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEDY = "put it into an environment variable, write ${NAME} here, and change it if others have seen this file"
_WORDS = (
    r"pass|passwd|password|passphrase|passcode|pwd|secret|secrets|token|tokens|credential|credentials|apikey|"
    r"(?:api|access|private|secret|auth|account|shared|storage|client)_?(?:key|secret|token)"
)
_NAME = re.compile(rf"(?:^|_)(?:{_WORDS})_?$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_REFERENCE = re.compile(r"(?:\$\{\w+\})+")
_LOGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^\s/?#]*)@")
_WHOLE_LOGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(\S*)@")
_SETTING = re.compile(r"[?&;]([A-Za-z][\w.-]*)=([^&;#\s]*)")


def written_out(document: Document) -> list[Problem]:
    """Passwords in URLs, and values of keys that name a secret, wherever they stand. The values are not shown."""
    found = []
    for path, value in _texts(document.data, ()):
        what = _what(path, value)
        if what:
            found.append(document.problem(path, what, REMEDY))
    return found


def _what(path: tuple[Key, ...], value: str) -> str:
    url = _WHOLE_LOGIN if path == ("source",) else _LOGIN
    if any(":" in login and _plain(login.partition(":")[2]) for login in url.findall(value)):
        return "a password is written out"
    named = [name for name, setting in _SETTING.findall(value) if "://" in value and _plain(setting) and _names(name)]
    if named:
        return f"the secret '{named[0]}' is written out"
    # Below tables a key is a column's name and its value another one.
    key = next((key for key in reversed(path) if isinstance(key, str)), "")
    return f"the secret '{key}' is written out" if path[0] != "tables" and _names(key) and _plain(value) else ""


def _plain(text: str) -> bool:
    return bool(text) and not _REFERENCE.fullmatch(text)


def _names(key: str) -> bool:
    return _NAME.search(re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", key).lower())) is not None


def _texts(value: Any, path: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], str]]:
    """Every scalar of a document as text, with its path; true, false and nothing are no secrets."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from _texts(each, (*path, i))
    elif path and value is not None and not isinstance(value, bool):
        yield path, str(value)
