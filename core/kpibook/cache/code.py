"""Which code and which libraries make a number: another state of them shares nothing with this one.

Versions alone would not do: what is worked on changes without one.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from inspect import unwrap
from pathlib import Path
from typing import Any

#: Where the loose files of a plugin folder are imported to.
LOOSE = "kpibook_loose"


@cache
def engine() -> str:
    """A digest of kpibook's own modules, of Python and of the names and versions of all that is installed."""
    own = digest(_files(Path(__file__).parents[1], "*.py"))
    return _digest([own, sys.version, platform.machine(), *installed()])


def installed() -> list[str]:
    """Distributions as their folders name them, such as ``duckdb-1.5.4.dist-info``."""
    return sorted({found.name for place in sys.path for found in Path(place).glob("*.dist-info")})


def behind(function: Callable[..., Any]) -> str | None:
    """A digest of the code that a definition may call: its own package or folder, and all installed packs.

    None where it stands in no file, as in a notebook.
    """
    module = sys.modules.get(unwrap(function).__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        return None
    top = module.__name__.partition(".")[0]
    if top == LOOSE:
        own = digest(_files(Path(file).parent, "*.py"))
    else:
        own = package(top) if "." in module.__name__ or hasattr(module, "__path__") else digest([Path(file)])
    return _digest([own, *packs()])


@cache
def packs() -> list[str]:
    """A digest of each installed pack."""
    return [package(name) for name in sorted({each.module.partition(".")[0] for each in entry_points(group="kpibook")})]


@cache
def package(name: str) -> str:
    """A digest of all files of a package, or of a module that stands alone."""
    spec = find_spec(name)
    if spec is None:
        return ""
    if not spec.submodule_search_locations:
        return digest([Path(spec.origin)] if spec.origin else [])
    return digest(path for folder in spec.submodule_search_locations for path in _files(Path(folder), "*"))


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(p for p in folder.rglob(pattern) if p.is_file() and "__pycache__" not in p.parts)


def digest(files: Iterable[Path]) -> str:
    """SHA-256 of the names and contents of files."""
    return _digest(part for path in files for part in (path.name, hashlib.sha256(path.read_bytes()).hexdigest()))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
