"""The code that a function stands in, without its words: what a definition hash sees of a KPI in pandas."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def code(function: Callable[..., Any]) -> str:
    """The syntax of the function's module: helpers count, docstrings and comments do not."""
    module = inspect.getmodule(inspect.unwrap(function))
    return _syntax(inspect.getsource(module if module is not None else function))


@lru_cache(256)
def _syntax(source: str) -> str:
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[:] = body[1:] or [ast.Pass()]
    return ast.dump(tree)
