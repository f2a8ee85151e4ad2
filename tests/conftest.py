"""Shared fixtures: a throw-away project with the command run in it, the sample clients, an untouched environment."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import hypothesis
import pandas as pd
import pytest
import threadpoolctl  # noqa: F401  it sets a variable when it is imported, wherever that is

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# An engine run costs a second on a busy machine: no deadline, and no minutes of shrinking.
hypothesis.settings.register_profile(
    "kpibook", deadline=None, phases=[p for p in hypothesis.Phase if p.name != "shrink"]
)
hypothesis.settings.load_profile("kpibook")

# Expressions are many small objects that live long: at Python's pace a tenth of the time goes into looking them over.
gc.set_threshold(200_000, 50, 100)

Content = str | bytes | pd.DataFrame


@dataclass(frozen=True)
class Result:
    """What one command left: exit code, both outputs."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder of its own. ``run`` starts the installed command in it, with an empty HOME and a bare environment."""

    path: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, Content]) -> None:
        """Texts (dedented), bytes, or frames written as the name's ending says: .csv or .parquet."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(dedent(content), encoding="utf-8")
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif path.suffix == ".parquet":
                content.to_parquet(path, index=False)
            else:
                content.to_csv(path, index=False)

    def command(self, *arguments: str | os.PathLike[str]) -> list[str]:
        return [str(Path(sys.executable).with_name("kpibook")), *map(os.fspath, arguments)]

    def environment(self, **more: str) -> dict[str, str]:
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "COLUMNS": "200"}
        return {**bare, **self.env, **more}

    def start(self, *arguments: str | os.PathLike[str], **env: str) -> subprocess.Popen[str]:
        """The command in the background, in a process group of its own; the caller ends it."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str | os.PathLike[str], timeout: float = 300, **env: str) -> Result:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[Mapping[str, Content]], Project]:
    """``make_project({"params/x.yaml": "...", "data/lines.csv": frame})`` -> Project."""
    home = tmp_path / "home"
    home.mkdir()

    def make(files: Mapping[str, Content]) -> Project:
        project = Project(tmp_path / "project", home)
        project.path.mkdir(exist_ok=True)
        project.write(files)
        return project

    return make


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Nothing under test may leave another environment or working directory behind."""
    before, folder = _environment(), Path.cwd()
    yield
    assert _environment() == before
    assert Path.cwd() == folder


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data of the sample clients, made once for all workers: ``cdnow/``, ``corner/``, ``marea/``."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / "samples"
    if not made.exists():
        from kpibook.samples.__main__ import CLIENTS, write

        own = tmp_path_factory.mktemp("samples")
        for client in CLIENTS:
            write(client, own / client)
        try:
            own.rename(made)
        except OSError:  # another worker was first
            shutil.rmtree(own)
    return made
