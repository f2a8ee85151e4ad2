"""``python -m torture [canary] [kills] [faults] [NAME ...]``: all, or some; KILLS and SEED in the environment.

Exit code 1 when anything was found. Faults are named in ``torture/faults.py`` and ``torture/bad_plugins.py``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from torture import bad_plugins, faults
from torture.canary import fly
from torture.kills import kill

JOBS = ("canary", "kills", "faults")


def main(wanted: list[str]) -> int:
    """The number of things found, at most 1."""
    every = {**faults.FAULTS, **bad_plugins.FAULTS}
    unknown = [name for name in wanted if name not in (*JOBS, *every)]
    if unknown:
        print(f"torture: unknown: {', '.join(unknown)} · use {', '.join(JOBS)} or one of: {', '.join(every)}")
        return 2
    chosen = list(every) if not wanted or "faults" in wanted else [name for name in wanted if name in every]
    found = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as base:
        for name in chosen:
            found += _fault(name, every[name], Path(base))
        if chosen:
            print(f"faults: {len(chosen)} tried, {found} not borne", flush=True)
        if not wanted or "canary" in wanted:
            found += _canary(Path(base) / "canary")
        if not wanted or "kills" in wanted:
            found += _kills(Path(base) / "kills")
    print(f"torture: {found or 'nothing'} found wanting")
    return int(found > 0)


def _fault(name: str, attempt: faults.Fault, base: Path) -> int:
    began = time.monotonic()
    try:
        how = attempt(base / name)
    except Exception:  # noqa: BLE001  one fault that is not borne must not hide the others
        print(f"  {name}: NOT BORNE\n{traceback.format_exc()}", flush=True)
        return 1
    print(f"  {name}: borne{f' ({how})' if how else ''}, {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _canary(base: Path) -> int:
    began = time.monotonic()
    tally = fly(base, _number("SEED", 1))
    for each in (*tally.foreign, *tally.wanting):
        print(f"  {each}")
    print(f"canary: {tally.clients} clients in one batch, {(time.monotonic() - began) / 60:.1f} min")
    at_home = f"the own id found with {tally.at_home} of {tally.clients}"
    print(f"  {tally.files.total()} files searched: {_each(tally.files)}; {at_home}")
    print(f"  {len(tally.foreign)} foreign ids", flush=True)
    return tally.found()


def _kills(base: Path) -> int:
    kills, seed = _number("KILLS", 200), _number("SEED", 1)
    began = time.monotonic()
    tally = kill(base, kills, seed, lambda line: print(f"  {line}", flush=True))
    minutes = (time.monotonic() - began) / 60
    print(f"kill -9: {tally.kills.total()} times of {kills}, seed {seed}, {minutes:.1f} min")
    print(f"  who: {_each(tally.kills)}; client: {_each(tally.clients)}; {tally.late} more came after the run's end")
    print(f"  when: {_each(tally.steps)}")
    print(f"  {tally.counts()}", flush=True)
    return tally.found() + kills - tally.kills.total()


def _each(counted: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(counted.items()))


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
