"""One real run of the attacked client, shared by everything that looks at what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conftest import Project
from hostile.hostile_client import Attacked, files

if TYPE_CHECKING:
    from pathlib import Path


def attacked_run(base: Path) -> Attacked:
    """The command, run in a folder below ``base``."""
    project = Project(base / "project", base / "home")
    project.path.mkdir(parents=True)
    project.home.mkdir()
    project.write(files())
    result = project.run("run", "params/attacked.yaml", timeout=900)
    return Attacked(project, result, project.path / "reports/attacked/2024-04-01_2024-06-30")


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    return attacked_run(tmp_path_factory.mktemp("attacked"))
