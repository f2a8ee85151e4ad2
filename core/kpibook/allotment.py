"""Memory for several runs at once: each waits until there is room for the most that it may take."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpibook.params import Params

MB = 1 << 20
UNITS = {"MB": MB, "GB": 1 << 30, "TB": 1 << 40}
#: Python with its libraries, the notebook, and what pandas holds of a client of ordinary size.
PROCESS = 400 * MB
#: How much of DuckDB's memory a byte of a file may become: Parquet is packed, text is not.
GROWS = {".csv": 5, ".tsv": 5, ".txt": 5, ".parquet": 20}
#: Of the memory that is free when the first run starts; the rest is for the system and for what grows.
SHARE = 0.9
CGROUP = Path("/sys/fs/cgroup")


def need(params: Params) -> int:
    """Bytes that a run may take: ``limits.memory``, or less where the client's files are so small, and its process."""
    number = params.limits.memory.replace(" ", "")
    limit = int(number[:-2]) * UNITS[number[-2:]]
    return PROCESS + min(limit, _at_most(params, limit))


def _at_most(params: Params, limit: int) -> int:
    """What the files can become; the limit, where that cannot be told before they are read."""
    try:
        root = sources.resolve(params.source, params.path.parent)
        paths = {root / name for table in params.tables.values() for name in (table.from_, *table.join)}
        return sum(path.stat().st_size * GROWS[path.suffix.lower()] for path in paths)
    except (sources.SourceError, OSError, KeyError):  # a database, a missing file, a workbook, a packed file
        return limit


def free() -> int:
    """Bytes that may be given out on this machine, or in this container."""
    import psutil

    left = [psutil.virtual_memory().available]
    try:
        most = (CGROUP / "memory.max").read_text("ascii").strip()
        left += [int(most) - int((CGROUP / "memory.current").read_text("ascii"))] if most.isdecimal() else []
    except OSError:  # no container
        pass
    return int(SHARE * max(min(left), 0))


class Allotment:
    """``total`` bytes, given out in the order in which they are asked for; whoever is alone is never refused."""

    def __init__(self, total: int) -> None:
        self._total, self._taken = total, 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int, cancel: threading.Event) -> Iterator[None]:
        """Holds ``size`` bytes; waits for them, and no longer than until ``cancel``."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            while not (cancel.is_set() or (self._waiting[0] is ticket and self._fits(size))):
                self._changed.wait(0.2)
            self._waiting.remove(ticket)
            self._taken += size
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return not self._taken or self._taken + size <= self._total
