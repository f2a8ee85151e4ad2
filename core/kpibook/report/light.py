"""Start-up time of the processes that are ours alone."""

from __future__ import annotations

import sys


def light_imports() -> None:
    """Spare this process 1.2 s: jsonschema compiles a grammar for IRIs when it finds one, and notebooks hold none."""
    for module in ("rfc3987", "rfc3987_syntax"):
        sys.modules.setdefault(module, None)  # type: ignore[arg-type]
