"""Work that several KPIs in pandas have in common: done once a run, forgotten when it ends.

What was asked before is told by what the arguments hold, so that no rows but the same ever share a value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import wraps
from hashlib import blake2b
from threading import Lock
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

Value = TypeVar("Value")


class _Made:
    """What the runs under way have made; let go with the last of them."""

    def __init__(self) -> None:
        self.lock, self.runs = Lock(), 0
        self.values: dict[Hashable, Future[Any]] = {}


_made = _Made()


@contextmanager
def run() -> Iterator[None]:
    """While it lasts, values are kept."""
    with _made.lock:
        _made.runs += 1
    try:
        yield
    finally:
        with _made.lock:
            _made.runs -= 1
            if not _made.runs:
                _made.values.clear()


def once(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function of frames and plain values, called once a run for the same; outside a run, every time.

    All callers are given one value, which none of them may change; what it raises, they all see.
    """

    @wraps(function)
    def shared(*args: Any) -> Value:
        if not _made.runs:
            return function(*args)
        key = (function, *map(_mark, args))
        with _made.lock:
            first = key not in _made.values
            found = _made.values.setdefault(key, Future())
        if first:
            try:
                found.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001  raised again by result(), for whoever waits as well
                found.set_exception(error)
        value: Value = found.result()
        return value

    return shared


def _mark(value: Any) -> Hashable:
    """A value itself, a digest of a frame."""
    if not isinstance(value, pd.DataFrame):
        return type(value), value
    table, sink = pa.Table.from_pandas(value, nthreads=1), _Digest()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as stream:
        stream.write_table(table)
    return sink.hash.digest()


class _Digest:
    """A file that keeps the digest of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = blake2b(digest_size=20)

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
