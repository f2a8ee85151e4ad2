"""Several clients in one batch, an id planted in the data of each: it must be in no file of another's reports."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kpibook.report import leakscan
from torture.client import Client, make

NAMES = ("barley", "oats", "rye", "wheat")
#: The whole report, of every installed pack; and the client's own id shown, which the search must then find at home.
CELLS = (
    "import kpibook\nbook = kpibook.open(params)\nbook.cover()",
    "book.verdict()",
    "book.other_sections()",
    "book.data_quality()",
    "book.computability_table()",
    "book.definitions()",
    (
        "lines = book.intake.con.table('order_lines').to_pandas()\n"
        "print(*sorted(set(lines['product_id'][lines['product_id'].str.startswith('CANARY')])))"
    ),
    "book.save()",
)


@dataclass
class Tally:
    """What was searched and what was found; ``foreign`` and ``wanting`` must stay empty."""

    clients: int = 0
    files: Counter[str] = field(default_factory=Counter)
    at_home: int = 0
    foreign: list[str] = field(default_factory=list)
    wanting: list[str] = field(default_factory=list)

    def found(self) -> int:
        return len(self.foreign) + len(self.wanting)


def fly(base: Path, seed: int) -> Tally:
    """One batch of all clients, two at a time; the reports of each, and the terminal, are searched."""
    rng = random.Random(seed)  # noqa: S311 (ids to be repeated, no secret)
    planted = {make(base, name, base / "reports", CELLS): f"CANARY-{rng.randrange(10**8, 10**9)}" for name in NAMES}
    for client, canary in planted.items():
        plant(client, canary)
    first, *others = planted
    done = first.run(*others, timeout=3600)
    tally = search(planted)
    for client in planted:
        if f"\n{client.name}: valid, " not in f"\n{done.said}":
            tally.wanting.append(f"{client.name}: no valid report (exit code {done.code}): {done.said}")
    tally.foreign += [f"terminal: shows the id of {name}" for name in _owners(done.said, planted)]
    return tally


def plant(client: Client, canary: str) -> None:
    """Let one customer of the client bear the id, and their receipts and articles as well."""
    path = client.folder / "data" / "lines.csv"
    head, *rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row[1] == "c1":
            row[:] = [f"{canary}-{row[0]}", canary, row[2], f"{canary}-{row[3]}", *row[4:]]
    path.write_text("\n".join(map(",".join, [head, *rows])) + "\n", encoding="utf-8")


def search(planted: dict[Client, str]) -> Tally:
    """The files of each client for the ids of all others, packed or not and in any spelling, and for its own."""
    tally = Tally(len(planted))
    for client in planted:
        files = sorted(path for path in client.home.rglob("*") if path.is_file())
        shown = False
        for name, text in leakscan.texts(client.out, files):
            tally.files[Path(name).suffix.removeprefix(".")] += 1
            owners = _owners(text, planted)
            shown |= client.name in owners
            tally.foreign += [f"{name}: holds the id of {owner}" for owner in owners if owner != client.name]
        tally.at_home += shown
        if not shown:
            tally.wanting.append(f"{client.name}: its report shows the id planted in its data, and no search finds it")
    return tally


def _owners(text: str, planted: dict[Client, str]) -> list[str]:
    """Clients whose ids stand in a text."""
    values = {client.name: canary for client, canary in planted.items()}
    ids = leakscan.referenced(" ".join(f"${{{name}}}" for name in values), values)
    return [name for _, name in leakscan.scan([("", text)], ids)]
