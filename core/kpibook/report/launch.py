"""A process of a run: forked from the command's warm parent, or started anew where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from kpibook.report.hearth import hearth
from kpibook.report.kernel import KERNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kpibook.report.forked import Forked

#: What the warm parent has imported, and nothing else, is forked.
OURS = "kpibook."


def launch(
    module: str, arguments: Sequence[str], folder: Path, work: Path, env: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes] | Forked, IO[bytes], IO[bytes]]:
    """``python -m module`` in ``folder``, with what it writes to standard output and to standard error."""
    forked = _forked([module, *arguments], folder, work, env) if module.startswith(OURS) else None
    if forked is not None:
        return forked
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None  # noqa: S101 (pipes were asked for)
    return process, process.stdout, process.stderr


def _forked(
    argv: Sequence[str], folder: Path, work: Path, env: Mapping[str, str]
) -> tuple[Forked, IO[bytes], IO[bytes]] | None:
    kernels = os.path.relpath(work / "jupyter" / KERNELS, folder)
    (told, telling), (said, saying) = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        process = hearth.fork(argv, env, folder, [nothing, telling, saying], kernels)
    finally:
        for descriptor in (nothing, telling, saying):
            os.close(descriptor)
    if process is None:
        os.close(told)
        os.close(said)
        return None
    return process, os.fdopen(told, "rb"), os.fdopen(said, "rb", buffering=0)
