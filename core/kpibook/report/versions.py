"""The versions a report was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, entry_points, version

ENGINE = ("duckdb", "ibis-framework", "nbconvert", "nbval", "numpy", "pandas", "papermill", "scipy")


def versions() -> dict[str, str]:
    """Distribution -> version: kpibook, every installed plugin pack, and what computes and shows the numbers."""
    packs = {point.dist.name for point in entry_points(group="kpibook") if point.dist}
    found = {"python": platform.python_version()}
    for name in ("kpibook", *sorted(packs - {"kpibook"}), *ENGINE):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a distribution"
    return found
