"""One client's store on disk: entries of named files under a key that says all that they were made from.

<root>/<kind>/<key>/entry.json    whose entry it is, its key, and the checksum of every file and of itself
<root>/<kind>/<key>/...           the files
<root>/.new-*/                    an entry that is being written, and comes into its place by one rename

Nothing in it is trusted: an entry that is another client's, has another key, or of which a byte is not as it was
written, is thrown away, and a note says so. Nothing in it is needed either: where it cannot be read or written, the
run goes on without.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")

MANIFEST = "entry.json"
NEW = ".new-"
#: On the disk after an entry is written: a run spills, and a report needs room.
LEAST_FREE = 512 * 2**20
#: Seconds without use.
OLDEST = 45 * 86400
ABANDONED = 3600


@dataclass
class Store:
    """Below ``root``, of the client named ``client``, at most ``limit`` bytes; ``notes`` tell what went wrong."""

    root: Path
    client: str
    limit: int
    notes: list[str] = field(default_factory=list)

    def holds(self, kind: str) -> bool:
        """Whether there is any entry of a kind."""
        try:
            return any((self.root / kind).iterdir())
        except OSError:
            return False

    def read(self, kind: str, key: str) -> dict[str, bytes] | None:
        """The files of an entry by name; None without one."""

        def read(place: Path, sums: Mapping[str, str]) -> dict[str, bytes]:
            files = {name: (place / name).read_bytes() for name in sums}
            _refuse_damaged({name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, sums)
            return files

        return self._used(kind, key, read)

    def lend(self, kind: str, key: str, folder: Path) -> dict[str, Path] | None:
        """The files of an entry in ``folder``, where they stay whatever becomes of the entry; None without one."""

        def lend(place: Path, sums: Mapping[str, str]) -> dict[str, Path]:
            lent = {name: folder / name for name in sums}
            for name, path in lent.items():
                _link(place / name, path)
            _refuse_damaged({name: checksum(path) for name, path in lent.items()}, sums)
            return lent

        return self._used(kind, key, lend)

    def put(self, kind: str, key: str, write: Callable[[Path], Any]) -> None:
        """An entry of the files that ``write`` puts into the folder it is given; without room there is none."""
        new = None
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.root.chmod(0o700)
            if shutil.disk_usage(self.root).free < LEAST_FREE:
                self._note(kind, "nothing is kept: less than 512 MB are free on the disk")
                return
            new = Path(tempfile.mkdtemp(prefix=NEW, dir=self.root))
            write(new)
            sums = {path.name: checksum(path) for path in sorted(new.iterdir())}
            manifest = {"client": self.client, "kind": kind, "key": key, "files": sums}
            (new / MANIFEST).write_text(json.dumps({**manifest, "seal": _seal(manifest)}), encoding="utf-8")
            (self.root / kind).mkdir(exist_ok=True)
            place = self.root / kind / key
            if place.exists():  # its files are the same, or it was found unfit
                old = place.rename(f"{new}-old")
                shutil.rmtree(old, ignore_errors=True)
            new.rename(place)
        except OSError as error:
            self._note(kind, f"not kept ({error.strerror})")
            if new is not None:
                shutil.rmtree(new, ignore_errors=True)

    def trim(self) -> None:
        """What was used longest ago goes, until what stays is within the limit; also what nobody has used for long."""
        now, left, entries = time.time(), 0, []
        try:
            for new in self.root.glob(f"{NEW}*"):
                if now - new.stat().st_mtime > ABANDONED:
                    shutil.rmtree(new, ignore_errors=True)
            for entry in self.root.glob("[!.]*/*"):
                size = sum(path.stat().st_size for path in entry.iterdir())
                entries.append((entry.stat().st_mtime, size, entry))
            for used, size, entry in sorted(entries, reverse=True):
                left += size
                if left > self.limit or now - used > OLDEST:
                    left -= size
                    shutil.rmtree(entry, ignore_errors=True)
        except OSError as error:
            self._note("limit", f"not looked after ({error.strerror})")

    def _used(self, kind: str, key: str, use: Callable[[Path, Mapping[str, str]], Value]) -> Value | None:
        """What ``use`` makes of an entry; one that turns out unfit is thrown away."""
        place = self.root / kind / key
        own = _number(place)
        if own is None:
            return None
        try:
            found = use(place, self._manifest(place, kind, key))
            os.utime(place)
        except (OSError, _UnfitError) as error:
            if _number(place) != own:  # another run has put a newer one in its place while it was read
                return None
            what = error.strerror if isinstance(error, OSError) else str(error)
            self._note(kind, f"the entry {key[:12]} is thrown away: {what}")
            shutil.rmtree(place, ignore_errors=True)
            return None
        return found

    def _manifest(self, place: Path, kind: str, key: str) -> dict[str, str]:
        try:
            found = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
            seal = found.pop("seal")
        except (ValueError, KeyError, AttributeError):
            raise _UnfitError(f"{MANIFEST} was damaged") from None
        if seal != _seal(found):
            raise _UnfitError(f"{MANIFEST} was damaged")
        if found["client"] != self.client:
            raise _UnfitError("it is another client's")
        if (found["kind"], found["key"]) != (kind, key):
            raise _UnfitError("it is another one's")
        if {path.name for path in place.iterdir()} != {*found["files"], MANIFEST}:
            raise _UnfitError("its files are not those that were written")
        return dict(found["files"])

    def _note(self, kind: str, what: str) -> None:
        note = f"cache, {kind}: {what}"
        if note not in self.notes:
            self.notes.append(note)


class _UnfitError(Exception):
    """Why an entry is not what was written."""


def size(text: str) -> int:
    """Bytes of a size as params have it, such as ``2GB``."""
    return int(text[:-2]) * {"MB": 10**6, "GB": 10**9, "TB": 10**12}[text[-2:]]


def _number(place: Path) -> int | None:
    """Which folder stands at a place; None without one."""
    try:
        return place.stat().st_ino
    except OSError:
        return None


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_damaged(found: Mapping[str, str], sums: Mapping[str, str]) -> None:
    for name, each in found.items():
        if each != sums[name]:
            raise _UnfitError(f"{name} was damaged")


def _seal(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """A second name of the file; a copy where another disk begins."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
