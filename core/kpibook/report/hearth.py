"""The warm parent of this command: started when a process is first asked for, and gone with the command."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook.report.forked import Forked
from kpibook.report.kernel import NEEDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Set to anything, every process is started anew.
COLD = "KPIBOOK_COLD"
SOCKET = "warm.sock"
WARM = "kpibook.report.warm"
MOST_STARTS = 3
GRACE = 5.0
#: Nothing that is inherited may own a thread: neither Arrow's allocator nor OpenBLAS.
ALONE = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
}


class Hearth:
    """One warm parent at a time; a new one when it is gone, MOST_STARTS at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._parent: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def fork(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, descriptors: Sequence[int], kernels: str
    ) -> Forked | None:
        """A process forked from the warm parent, its kernels from a warm parent at ``kernels``; None without one."""
        socket = self._socket()
        if socket is None:
            return None
        try:
            return Forked(socket, argv, env, str(cwd), descriptors, kernels=kernels)
        except OSError:  # it ended just now
            return None

    def close(self) -> None:
        with self._lock:
            self._end()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)  # the parent may have been quicker
                self._folder = None

    def _socket(self) -> str | None:
        if os.environ.get(COLD) or not sys.platform.startswith("linux"):
            return None
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="kpibook-warm-"))
                atexit.register(self.close)
            path = self._folder / SOCKET
            if (self._parent is None or self._parent.poll() is not None) and not self._start(path):
                return None
            return str(path)

    def _start(self, path: Path) -> bool:
        self._end()
        if self._starts >= MOST_STARTS:
            return False
        self._starts += 1
        path.unlink(missing_ok=True)
        given = {name: value for name, value in os.environ.items() if NEEDED.fullmatch(name)}
        with (path.parent / "log.txt").open("ab") as log:
            self._parent = subprocess.Popen(
                [sys.executable, "-P", "-m", WARM, str(path)],
                cwd=path.parent,
                env=given | ALONE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._parent.stdout is not None  # noqa: S101  it was asked for
        if self._parent.stdout.readline() == b"warm\n":
            return True
        self._end()
        return False

    def _end(self) -> None:
        """A parent that lives on ends when its standard input does."""
        if self._parent is None:
            return
        for pipe in (self._parent.stdin, self._parent.stdout):
            assert pipe is not None  # noqa: S101  both were asked for
            pipe.close()
        try:
            self._parent.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._parent.kill()
            self._parent.wait()
        self._parent = None


hearth = Hearth()
