"""A worker's tie to the command that started it, and its line for telling it what happens."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from kpibook import runs
from kpibook.report.bounds import end_children

if TYPE_CHECKING:
    from pathlib import Path


class Line:
    """Events as JSON lines on what was standard output; from then on standard output is the log."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def tell(self, event: str, **values: Any) -> None:
        self._out.write(json.dumps({"event": event, **values}) + "\n")
        self._out.flush()


def follow_parent(folder: Path | None, parent: int) -> None:
    """When the process ``parent`` is gone: end the kernel, mark the run in ``folder`` interrupted, exit."""
    threading.Thread(target=_watch, args=(folder, parent), daemon=True).start()


def _watch(folder: Path | None, parent: int) -> None:
    while _lives(parent):
        time.sleep(0.5)
    end_children()
    try:
        if folder and (folder / runs.NAME).is_file():
            record = runs.read(folder)
            if record.state == "running":
                record.end("interrupted", "run", "the command was killed before the run had ended")
                record.write(folder)
    finally:  # another command may be moving the folder away: this process ends in any case
        os._exit(9)


def _lives(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be buried."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
