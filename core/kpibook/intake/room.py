"""A full disk while a file is unpacked into the run's own folder: told as what it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


def full(name: str) -> Problem:
    return Problem(name, "there is no room to unpack it", "free disk space, or set TMPDIR")


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Nothing inside may fail by the system but writing. Raises DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(full(name)) from error
