"""A process forked from a warm parent, seen from the one who asked for it: what subprocess.Popen is to a child."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any


class Forked:
    """Asks the warm parent at ``path`` for a process; OSError when there is none.

    ``returncode`` is the exit code, minus the signal; -9 also when the warm parent was gone before it could tell.
    """

    stdin = stdout = stderr = None

    def __init__(
        self,
        path: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        descriptors: Sequence[int] = (),
        **more: Any,
    ) -> None:
        self.returncode: int | None = None
        self._line = socket.socket(socket.AF_UNIX)
        self._heard = b""
        try:
            self._line.connect(path)
            request = json.dumps({"argv": list(argv), "env": dict(env), "cwd": cwd, **more}).encode() + b"\n"
            sent = socket.send_fds(self._line, [request], list(descriptors))
            self._line.sendall(request[sent:])
            answer = self._next(None)
            if answer is None:
                raise ConnectionResetError("the warm parent ended before it forked")
            self.pid = int(answer["pid"])
        except BaseException:
            self._line.close()
            raise

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; subprocess.TimeoutExpired when it still runs after ``timeout`` seconds."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], timeout)[0]:
            answer = self._next(timeout)
            self.returncode = self._alone(timeout) if answer is None else int(answer["exit"])
            if self.returncode is not None:
                self._line.close()
        return self.returncode

    def _next(self, timeout: float | None) -> dict[str, int] | None:
        """The next line of the warm parent; None when it has said its last."""
        while b"\n" not in self._heard:
            if timeout is not None and not select.select([self._line], [], [], timeout)[0]:
                break
            more = self._line.recv(4096)
            if not more:
                return None
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return dict(json.loads(line))

    def _alone(self, timeout: float | None) -> int | None:
        """Whether a process without its warm parent has ended; how, nobody knows."""
        try:
            watch = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return -signal.SIGKILL
        try:
            return -signal.SIGKILL if select.select([watch], [], [], timeout)[0] else None
        finally:
            os.close(watch)
