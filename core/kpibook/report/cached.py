"""Where a client's store lies, and how a run's kernels come to it.

<out>/.cache/<client>/    beside the client's reports and not among them: who hands those over hands over no store

The first execution may take tables and figures from it. The second, which proves the figures, takes tables only, and
``kpibook validate`` nothing at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kpibook.cache import environment

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".cache"


def stores(out: Path, client: str) -> tuple[dict[str, str], dict[str, str]]:
    """Variables of the execution that makes a report, and of the one that proves it."""
    first = {environment.FOLDER: str(out / FOLDER / client)}
    return first, {**first, environment.USE: "inputs"}


def told(folder: Path) -> dict[str, Any] | None:
    """What the notebook of a run in ``folder`` took from the store; None when it had none, or does not say."""
    try:
        found = json.loads((folder / environment.NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
