"""Where the files are that come with kpibook: in a wheel beside the package, in a source tree above it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TEMPLATE = "notebooks/audit.ipynb"
SHIPPED = {"params": "*.yaml", "notebooks": "*.ipynb", "kpi_plugins": "*.md"}


def root() -> Path:
    """The folder that holds params, notebooks and kpi_plugins."""
    wheel = PACKAGE / "workspace"
    return wheel if wheel.is_dir() else PACKAGE.parents[1]


def template() -> Path:
    """The report template that is taken when a params file names none."""
    return root() / TEMPLATE


def workspace_files() -> list[Path]:
    """What a consultant's workspace starts with, as paths below ``root()``."""
    return [
        path.relative_to(root())
        for folder, pattern in SHIPPED.items()
        for path in sorted((root() / folder).glob(pattern))
    ]
