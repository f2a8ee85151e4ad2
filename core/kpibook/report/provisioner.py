"""Kernels that are forked from a warm parent, for Papermill, nbval and JupyterLab: a provisioner of jupyter_client.

A kernelspec names it: ``{"metadata": {"kernel_provisioner": {"provisioner_name": "kpibook-warm", "config":
{"socket": PATH}}}}``. Where nobody serves at that path, the kernel is started as any other.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from kpibook.report.forked import Forked

LAUNCHER = "ipykernel_launcher"
#: Seconds between two looks at whether the kernel still runs: jupyter_client's own tenth is a tenth of a report.
TURN = 0.01


class WarmProvisioner(LocalProvisioner):  # type: ignore[misc]
    """``socket`` is where the warm parent serves, relative to the working directory or absolute."""

    socket = Unicode("", config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Connection information of a kernel, forked where that can be done."""
        if not self.socket or LAUNCHER not in cmd or not Path(self.socket).exists():
            return await super().launch_kernel(cmd, **kwargs)
        argv = cmd[cmd.index(LAUNCHER) :]
        env, cwd = kwargs.get("env") or os.environ, str(kwargs.get("cwd") or Path.cwd())
        try:
            forked = Forked(self.socket, argv, env, cwd, tied=True)
        except OSError:  # a socket whose parent is gone
            return await super().launch_kernel(cmd, **kwargs)
        self.process: Any = forked
        self.pid = self.pgid = forked.pid
        return self.connection_info

    async def wait(self) -> int | None:
        """The exit code, once the kernel has ended."""
        process: Any = self.process
        if not isinstance(process, Forked):
            return int(await super().wait() or 0)
        while process.poll() is None:
            await asyncio.sleep(TURN)
        self.process = None
        return process.returncode
