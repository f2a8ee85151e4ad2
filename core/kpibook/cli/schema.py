"""``kpibook schema``."""

from __future__ import annotations

import json

import typer


def command() -> None:
    """Save it, and name it in an editor, which then completes keys and finds slips."""
    from kpibook.params import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
