"""Locks on files: the system releases them when the process that holds them dies, however and wherever it does."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from kpibook.errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAUSE = 0.02


@contextmanager
def held(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock on a file, which is made; False when another still has it after ``patience`` seconds.

    RunError where files cannot be locked.
    """
    until = time.monotonic() + patience
    with path.open("a") as handle:
        while not (ours := _take(handle)) and time.monotonic() < until:
            time.sleep(PAUSE)
        try:
            yield ours
        finally:
            if ours:
                _release(handle)


if sys.platform == "win32":
    import msvcrt

    def _take(handle: IO[str]) -> bool:
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _release(handle: IO[str]) -> None:
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(handle: IO[str]) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            what, remedy = f"cannot be locked ({error.strerror})", "keep the reports on a file system that has locks"
            raise RunError(Problem(handle.name, what, remedy)) from None
        return True

    def _release(handle: IO[str]) -> None:
        # A child that is just being started has the file open as well: closing alone would not release it.
        fcntl.flock(handle, fcntl.LOCK_UN)
