"""gzip, and zip with one member: unpacked into the run's own folder, with an eye on bombs."""

from __future__ import annotations

import gzip
import lzma
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake.notes import Note, plain
from kpibook.intake.room import writing
from kpibook.params_options import PACKED, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 4_000_000
#: A file that unpacks to more than this, and to more than _RATIO times its size, is no table anybody exported.
_HARMLESS = 100_000_000
_RATIO = 200
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_AGAIN = "deliver the file again"
#: What the standard library raises of archives that are none, by fuzzing.
BROKEN = (
    zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, ValueError,
    NotImplementedError, RuntimeError, IndexError,
)  # fmt: skip


def unpacked(path: Path, name: str, target: Path, tell: Callable[[int, int], None]) -> tuple[Path, str, list[Note]]:
    """The file itself, its name without the packing, and what to tell; a file that is not packed as it is."""
    lower = name.lower()
    if lower.endswith(".gz"):
        inner = name[: -len(".gz")]
        _known(inner, name)
        with gzip.open(path, "rb") as packed:
            _copy(packed, target, path.stat().st_size, name, tell)
        return (
            target,
            inner,
            [
                Note(
                    "unpacked", "info", details={"file": plain(name), "kind": "gzip", "member": plain(Path(inner).name)}
                )
            ],
        )
    if lower.endswith(".zip"):
        return _member(path, name, target, tell)
    return path, name, []


def _member(path: Path, name: str, target: Path, tell: Callable[[int, int], None]) -> tuple[Path, str, list[Note]]:
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise DataError(Problem(name, "cannot be unpacked: no whole zip archive", _AGAIN)) from error
    with archive:
        members = [m for m in archive.infolist() if not m.filename.endswith("/") and not _is_litter(m.filename)]
        if len(members) != 1:
            what = f"the zip archive holds {len(members)} files" if members else "the zip archive is empty"
            raise DataError(Problem(name, what, "deliver every file by itself, or in a zip archive of its own"))
        (only,) = members
        if only.flag_bits & 1:
            raise DataError(Problem(name, "the zip archive is encrypted with a password", "deliver it unpacked"))
        _known(only.filename, name)
        if is_bomb(only.file_size, path.stat().st_size):
            raise DataError(_bomb(name))
        try:
            packed = archive.open(only)
        except NotImplementedError as error:
            what = "the zip archive is packed in a way that is not read"
            raise DataError(Problem(name, what, "deliver it unpacked")) from error
        except BROKEN as error:
            raise DataError(Problem(name, "cannot be unpacked", _AGAIN)) from error
        with packed:
            _copy(packed, target, path.stat().st_size, name, tell)
    note = Note("unpacked", "info", details={"file": plain(name), "kind": "zip", "member": plain(only.filename)})
    return target, only.filename, [note]


def _is_litter(member: str) -> bool:
    return member.startswith(_LITTER[0]) or PurePosixPath(member).name in _LITTER


def _known(inner: str, name: str) -> None:
    lower = inner.lower()
    if lower.endswith(PACKED):
        raise DataError(Problem(name, "a packed file inside a packed file", "deliver it packed once, or not at all"))
    if not lower.endswith(SUFFIXES):
        what = f"'{plain(inner)}' inside it is no file kpibook reads"
        raise DataError(Problem(name, what, f"deliver one of {', '.join(SUFFIXES[: -len(PACKED)])}"))


def _copy(
    packed: IO[bytes] | gzip.GzipFile, target: Path, size: int, name: str, tell: Callable[[int, int], None]
) -> None:
    written = 0
    with target.open("wb") as out:
        while chunk := _piece(packed, name):
            written += len(chunk)
            if is_bomb(written, size):
                raise DataError(_bomb(name))
            with writing(name):
                out.write(chunk)
            tell(written, 0)


def _piece(packed: IO[bytes] | gzip.GzipFile, name: str) -> bytes:
    try:
        return packed.read(_CHUNK)
    except BROKEN as error:
        raise DataError(Problem(name, "cannot be unpacked", _AGAIN)) from error


def is_bomb(unpacked_size: int, size: int) -> bool:
    """More than any table unpacks to."""
    return unpacked_size > _HARMLESS and unpacked_size > _RATIO * max(size, 1)


def _bomb(name: str) -> Problem:
    return Problem(name, f"unpacks to more than {_RATIO} times its size, as no table does", "deliver it unpacked")
