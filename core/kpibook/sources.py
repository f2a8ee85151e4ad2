"""Where a client's data are: a folder, the data folder of an installed package, or a database."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from kpibook.errors import did_you_mean

REFERENCE = re.compile(r"\$\{(\w*)\}")
_PACKAGE = re.compile(r"package:(?P<name>[A-Za-z_]\w*)(?:/(?P<folder>.+))?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
SUPPORTED = "give a folder, package:NAME/folder, or the URL of a database such as postgres://"
#: Clients whose params come with kpibook, and their data do not.
SAMPLES = ("cdnow", "corner", "marea")
#: Backends of Ibis that hold data of others; PostgreSQL is the one that the tests prove.
DATABASES = frozenset(
    {"athena", "bigquery", "clickhouse", "databricks", "druid", "duckdb", "exasol", "impala", "materialize", "mssql",
     "mysql", "oracle", "postgres", "postgresql", "risingwave", "singlestoredb", "snowflake", "sqlite", "trino"}
)  # fmt: skip


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
    plain = REFERENCE.sub("x", source)
    if not source.strip():
        raise SourceError("the source is empty", SUPPORTED)
    if "${" in plain:
        raise SourceError("a reference is not closed", "write ${NAME}")
    scheme = _SCHEME.match(plain)
    if plain.startswith("package:"):
        found = _PACKAGE.fullmatch(plain)
        if found is None or ".." in Path(found["folder"] or "").parts:
            raise SourceError(f"'{source}' names no package folder", "write package:NAME/folder")
    elif scheme and scheme[1] not in DATABASES:
        near = did_you_mean(scheme[1], DATABASES)
        remedy = near if near.startswith("did") else SUPPORTED
        raise SourceError(f"a source of the kind '{scheme[1]}:' is not supported", remedy)
    elif scheme and not plain.startswith("//", scheme.end()):
        raise SourceError(f"'{scheme[1]}:' starts no URL", f"write {scheme[1]}://")


def is_database(source: str) -> bool:
    """Whether a source, as written or resolved, is the URL of a database."""
    scheme = _SCHEME.match(source)
    return scheme is not None and scheme[1] in DATABASES


def computes_in_place(source: str) -> bool:
    """Whether the database of a source can hold the canonical tables itself."""
    return source.partition(":")[0] in ("postgres", "postgresql")


def resolve(source: str, base: Path) -> Path:
    """The folder that ``source`` stands for, relative ones from ``base``. Raises SourceError."""
    check(source)
    text = REFERENCE.sub(_value, source)
    if is_database(text):
        raise SourceError("this is a database", "write extract: true")
    check(text)
    found = _PACKAGE.fullmatch(text)
    folder = _package_folder(found["name"], found["folder"] or "") if found else (base / Path(text).expanduser())
    if not folder.is_dir():
        remedy = "check the path, or that the files were delivered"
        if folder.name in SAMPLES and not found:
            remedy = f"make it: python -m kpibook.samples data {folder.name}, in the folder above params"
        raise MissingFolderError(f"there is no folder '{source}'", remedy)
    return folder.resolve()


def resolve_url(source: str) -> str:
    """The URL of a database, with its secrets: for the connection only, never to be shown. Raises SourceError.

    Values that stand before the ``@`` are taken as the server knows them and are encoded here.
    """
    check(source)
    login, at, rest = source.rpartition("@")
    if at and is_database(source):
        login = REFERENCE.sub(lambda reference: quote(_value(reference), safe=""), login)
    else:
        login = REFERENCE.sub(_value, login)
    url = login + at + REFERENCE.sub(_value, rest)
    scheme = _SCHEME.match(url)
    if scheme and scheme[1] not in DATABASES:
        check(scheme[0])
    if not is_database(url):
        raise SourceError(f"'{source}' is not the URL of a database", SUPPORTED)
    return url


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
