"""Where the files are that come with kpibook: in a wheel beside the package, in a source tree above it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TEMPLATE = "notebooks/audit.ipynb"
#: With kpi_plugins/README.md the pages that it leads to.
SHIPPED = (
    "params/*.yaml",
    "notebooks/*.ipynb",
    "kpi_plugins/*.md",
    "docs/intake.md",
    "docs/params.md",
    "docs/privacy.md",
    "docs/views.md",
)


def root() -> Path:
    """The folder that holds params, notebooks, kpi_plugins and docs."""
    wheel = PACKAGE / "workspace"
    return wheel if wheel.is_dir() else PACKAGE.parents[1]


def template() -> Path:
    """The report template that is taken when a params file names none."""
    return root() / TEMPLATE


def workspace_files() -> list[Path]:
    """What a consultant's workspace starts with, as paths below ``root()``."""
    return [path.relative_to(root()) for pattern in SHIPPED for path in sorted(root().glob(pattern))]
