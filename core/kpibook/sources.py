"""Where a client's files are: a folder, or the data folder of an installed package."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

_REFERENCE = re.compile(r"\$\{(\w*)\}")
_PACKAGE = re.compile(r"package:(?P<name>[A-Za-z_]\w*)(?:/(?P<folder>.+))?")
SUPPORTED = "give a folder, or package:NAME/folder"


class SourceError(ValueError):
    """``what`` is wrong with a source, and the ``remedy``."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} · {remedy}")
        self.what = what
        self.remedy = remedy


class MissingFolderError(SourceError):
    """The folder that a source names is not there."""


def check(source: str) -> None:
    """Refuse a source whose form is not supported. Raises SourceError; looks at no file and no variable."""
    plain = _REFERENCE.sub("x", source)
    if not source.strip():
        raise SourceError("the source is empty", SUPPORTED)
    if "${" in plain:
        raise SourceError("a reference is not closed", "write ${NAME}")
    if plain.startswith("package:"):
        found = _PACKAGE.fullmatch(plain)
        if found is None or ".." in Path(found["folder"] or "").parts:
            raise SourceError(f"'{source}' names no package folder", "write package:NAME/folder")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", plain):
        scheme = plain.partition(":")[0]
        raise SourceError(f"a source of the kind '{scheme}:' is not supported", SUPPORTED)


def resolve(source: str, base: Path) -> Path:
    """The folder that ``source`` stands for, relative ones from ``base``. Raises SourceError."""
    check(source)
    text = _REFERENCE.sub(_value, source)
    check(text)
    found = _PACKAGE.fullmatch(text)
    folder = _package_folder(found["name"], found["folder"] or "") if found else (base / Path(text).expanduser())
    if not folder.is_dir():
        raise MissingFolderError(f"there is no folder '{source}'", "check the path, or that the files were delivered")
    return folder.resolve()


def _value(reference: re.Match[str]) -> str:
    name = reference.group(1)
    if name not in os.environ:
        raise SourceError(f"the environment variable {name} is not set", f"set {name} before kpibook starts")
    return os.environ[name]


def _package_folder(name: str, folder: str) -> Path:
    try:
        spec = find_spec(name)
    except ValueError:  # a module that was not imported from a file
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"the package '{name}' is not installed", f"install it: pip install {name.replace('_', '-')}")
    return Path(next(iter(spec.submodule_search_locations)), folder)
