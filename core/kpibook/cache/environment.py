"""How a run tells its kernels of the client's store: by variables of their environment."""

from __future__ import annotations

#: The folder of the client's store.
FOLDER = "KPIBOOK_CACHE"
#: ``inputs``: tables may come from the store and no figures.
USE = "KPIBOOK_CACHE_USE"
#: Where the kernel tells what it took, below the folder of the run.
NOTE = "work/cache.json"
