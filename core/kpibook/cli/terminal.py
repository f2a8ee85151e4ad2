"""Whatever a command prints comes from clients too: the terminal shows control characters and obeys none."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from kpibook.unspoken import visible

if TYPE_CHECKING:
    from collections.abc import Iterator


class Plain:
    """A stream that writes control characters as their codes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        return self.stream.write(visible(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def plain() -> Iterator[None]:
    """Standard output and standard error, tracebacks included, for the time of a command."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (Plain(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def bare(stream: Any) -> Any:
    """The stream itself, for what draws on a terminal."""
    return stream.stream if isinstance(stream, Plain) else stream
