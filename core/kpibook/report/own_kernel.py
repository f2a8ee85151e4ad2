"""A kernel whose end is known: jupyter_client forgets the exit code of the process that it started."""

from __future__ import annotations

from typing import Any, ClassVar

from jupyter_client.manager import AsyncKernelManager


class OwnKernel(AsyncKernelManager):  # type: ignore[misc]
    """``ended``: the exit code of this process's last kernel that was found dead, minus the signal; else None."""

    ended: ClassVar[int | None] = None

    async def _async_is_alive(self) -> bool:
        if self.provisioner is not None and (code := await self.provisioner.poll()) is not None:
            OwnKernel.ended = code
        return await super()._async_is_alive()

    is_alive: Any = _async_is_alive
