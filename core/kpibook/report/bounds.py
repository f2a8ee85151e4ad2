"""What a worker is to the machine: the first to go when memory runs out, no core dumps, the parent of its orphans."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, <linux/prctl.h>


def confine() -> None:
    """For this process and all that it starts. A core dump would be a copy of the client's data."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        try:
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        except OSError:  # a container may hold /proc read-only: then the system chooses
            return


def end_children() -> None:
    """Kill whatever this process has started, and what that has started, detached or not."""
    import psutil

    family = psutil.Process().children(recursive=True)
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5)
