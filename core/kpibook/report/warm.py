"""A warm parent: one thread, imports done, nothing connected; each process of a run is forked from it.

``python -m kpibook.report.warm SOCKET`` serves until its standard input is closed. A connection brings one
request, a JSON line with ``argv`` (a module to be run as ``python -m`` would, and its arguments), ``env`` and
``cwd``, and file descriptors for standard input, output and error, or none to keep the parent's. It is answered
with ``{"pid": …}`` at once and ``{"exit": …}`` when the process has ended.

A request that names a socket under ``kernels`` makes a second warm parent beside the process, of which it is the
parent in turn: kernels asked for there end with it, whatever ends it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from kpibook.report.light import light_imports

#: What a worker, a kernel and a second execution import before they can begin.
IMPORTS = (
    "papermill", "nbclient", "nbformat", "nbconvert", "pytest", "nbval.plugin", "psutil",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger",
    "IPython.core.completerlib", "IPython.core.pylabtools", "IPython.extensions.storemagic",
    "tornado.platform.asyncio", "jupyter_client.asynchronous", "jupyter_client.provisioning",
    "pandas", "pyarrow.parquet", "pyarrow.compute", "pandas.io.formats.style", "duckdb", "ibis.backends.duckdb",
    "altair", "great_tables", "sqlglot", "babel.numbers", "babel.dates", "pluggy", "yaml", "scipy.stats",
    "kpibook.book", "kpibook.intake", "kpibook.engine.compute", "kpibook.present", "kpibook.report.own_kernel",
    "kpibook.report.printed", "kpibook.report.provisioner", "kpibook.report.bounds", "kpibook.report.lifeline",
)  # fmt: skip
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, <linux/prctl.h>
LONGEST = 1 << 20
STANDARD = (0, 1, 2)


class Parent:
    """Forks a process for every connection to the socket at ``path``, and tells it how the process ended."""

    def __init__(self, path: str) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        Path(path).chmod(0o600)
        self._server.listen(64)
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        self._children: dict[int, socket.socket] = {}

    def serve(self, life: int | None = None) -> None:
        """Until ``life``, a descriptor, has nothing more to come."""
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        server = self._server.fileno()
        watched = [server, self._woken, *([] if life is None else [life])]
        while True:
            ready = select.select(watched, [], [])[0]
            if life is not None and life in ready and not os.read(life, 1024):
                return
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap()
            if server in ready:
                self._answer(self._server.accept()[0])

    def close(self) -> None:
        """In a child: nothing of the parent's stays open."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for end in (self._woken, self._waker):
            os.close(end)
        for line in (self._server, *self._children.values()):
            line.close()

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if (asker := self._children.pop(pid, None)) is not None:
                _tell(asker, exit=os.waitstatus_to_exitcode(status))
                asker.close()

    def _answer(self, asker: socket.socket) -> None:
        try:
            asker.settimeout(10)
            text, descriptors, _, _ = socket.recv_fds(asker, LONGEST, len(STANDARD))
            while not text.endswith(b"\n"):
                more = asker.recv(LONGEST)
                if not more:
                    return
                text += more
        except OSError:  # who asked is gone
            asker.close()
            return
        request = json.loads(text)
        own, pid = os.getpid(), os.fork()
        if not pid:
            self.close()
            asker.close()
            if request.get("tied"):
                end_with(own)
            become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._children[pid] = asker
        _tell(asker, pid=pid)


def become(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the process that was asked for, as if it had been started anew; its end is this process's."""
    code = 1
    try:
        os.setsid()
        for descriptor, standard in zip(descriptors, STANDARD, strict=False):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        sys.path.insert(0, request["cwd"])  # as python -m does
        _afresh()
        if request.get("kernels"):
            _nurse(request["kernels"])
        sys.argv = list(request["argv"])
        runpy.run_module(request["argv"][0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  the last word of a process, as Python says it
        traceback.print_exc()
    finally:
        kernel = sys.modules["ipykernel.kernelapp"].IPKernelApp
        if kernel.initialized():  # its close waits, at times for seconds, for a thread that waits for one it has ended
            atexit.unregister(kernel.instance().close)
        atexit._run_exitfuncs()  # noqa: SLF001  all that an end of Python is, but for the wait
        for stream in (sys.__stdout__, sys.__stderr__):  # a kernel's own streams wait for threads that are gone
            if stream is not None:
                stream.flush()
        os._exit(code)


def _afresh() -> None:
    """Random states of its own, the client's time zone, and DuckDB's default connection with all its threads."""
    random.seed()
    sys.modules["numpy"].random.seed()
    sys.modules["duckdb"].execute("RESET threads")
    tempfile.tempdir = None
    time.tzset()


def _nurse(path: str) -> None:
    """A warm parent of this process's kernels, while it is still of one thread."""
    Path(path).unlink(missing_ok=True)  # of the first execution, when this is the second
    kernels, own = Parent(path), os.getpid()
    if os.fork():
        kernels.close()
        return
    end_with(own)
    os.dup2(2, 1)  # standard output is the line to the supervisor
    kernels.serve()
    os._exit(0)


def end_with(parent: int) -> None:
    """This process is killed when ``parent``, which forked it, ends; at once, when it has ended already."""
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def warm_up() -> None:
    """Import; raises RuntimeError when that started a thread, for none lives on in a fork."""
    light_imports()
    for module in IMPORTS:
        importlib.import_module(module)
    sys.modules["jupyter_client.localinterfaces"].local_ips()
    importlib.import_module("kpibook.cache.code").engine()  # of the code that is loaded, whatever becomes of its files
    sys.modules["duckdb"].execute("SET threads = 1")  # its default connection owns threads else
    if (threads := len([*Path("/proc/self/task").iterdir()])) != 1:
        raise RuntimeError(f"{threads} threads after the imports: nothing can be forked")
    gc.collect()
    gc.freeze()


def _tell(asker: socket.socket, **values: int) -> None:
    try:
        asker.sendall(json.dumps(values).encode() + b"\n")
    except OSError:  # who asked is gone: nobody waits for the answer
        return


def main(path: str) -> int:
    """Serve at ``path`` until standard input is closed; says ``warm`` on standard output once it can.

    The folder of ``path`` goes with it when it was started there: who started it may have been killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm_up()
    parent = Parent(path)
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    parent.serve(life=0)
    Path(path).unlink(missing_ok=True)
    if Path.cwd() == Path(path).parent:
        shutil.rmtree(Path.cwd(), ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
