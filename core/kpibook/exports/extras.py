"""Libraries that only an export needs: where one is missing, the command that brings it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kpibook.errors import ParamsError, Problem

EXTRA = "pip install 'kpibook[exports]'"


def needed(module: str, form: str) -> Any:
    """The module; ParamsError that names the command when it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ParamsError(Problem(form, f"the library {error.name} is not installed", f"run {EXTRA}")) from None
