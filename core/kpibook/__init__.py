"""kpibook: honest KPIs for audits of customer-loyalty programmes.

The public door: what a KPI file imports, and ``open`` for notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpibook.book import open  # noqa: A004
    from kpibook.definition import kpi, view
    from kpibook.estimates import change, curve, matrix, mean, modelled, quantile, ratio, share, total, variants
    from kpibook.hookspecs import hookimpl
    from kpibook.rules import because

__version__ = "0.1.0"

__all__ = [
    "because",
    "change",
    "curve",
    "hookimpl",
    "kpi",
    "matrix",
    "mean",
    "modelled",
    "open",
    "quantile",
    "ratio",
    "share",
    "total",
    "variants",
    "view",
]

_HOMES = {"because": "rules", "hookimpl": "hookspecs", "kpi": "definition", "open": "book", "view": "definition"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line starts without pandas."""
    if name not in __all__:
        raise AttributeError(f"module 'kpibook' has no attribute '{name}'")
    from importlib import import_module

    home = _HOMES.get(name, "estimates")
    value = getattr(import_module(f"kpibook.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
