"""``python -m kpibook.samples DIR [cdnow] [corner] [marea]``: write the sample clients' data, a folder each."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import KpibookError

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENTS = ("cdnow", "corner", "marea")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kpibook.samples", description=__doc__)
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="where to write; a folder for each client is made in it"
    )
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"which of {', '.join(CLIENTS)}; all by default")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.clients) - set(CLIENTS))
    if unknown:
        parser.error(f"no sample client '{unknown[0]}' · use one of: {', '.join(CLIENTS)}")
    try:
        for client in chosen.clients or CLIENTS:
            write(client, chosen.folder / client)
            sys.stdout.write(f"{chosen.folder / client}\n")
    except KpibookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def write(client: str, folder: Path) -> None:
    """The data of one of CLIENTS."""
    import_module(f"kpibook.samples.{client}").write(folder)


if __name__ == "__main__":
    sys.exit(main())
