"""The house itself: pins, clean files, small modules, a narrow door, verbs that are there."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tarfile
import tomllib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hatchling.builders.sdist import SdistBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import kpibook

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, TOOL = PYPROJECT["project"], PYPROJECT["tool"]
PINS = (ROOT / "constraints.txt").read_text().splitlines()
SOURCES = TOOL["hatch"]["build"]["targets"]["sdist"]["include"]
FOLDERS = [name.removeprefix("/") for name in SOURCES if (ROOT / name.removeprefix("/")).is_dir()]
#: What a KPI pack may import of kpibook beside the public door.
FOR_PACKS = {"errors", "estimates", "once", "rules", "stats"}
FOREIGN = {
    "a registry's host": r"\b(pypi|pythonhosted|npmjs|yarnpkg|debian)\.(org|com|net)\b",
    "a path of one machine": r"(?<![\w.~-])/(work|root|home|Users)/\w",
}


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]


def _modules() -> dict[str, int]:
    return {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("core", "kpi_plugins")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def test_constraints_are_plain_pins_in_order() -> None:
    assert [line for line in PINS if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)] == []
    names = [line.split("==")[0] for line in PINS]
    assert names == sorted(set(names))


def test_every_dependency_is_pinned_within_its_range() -> None:
    pinned = dict(line.split("==") for line in PINS)
    extras = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    wanted = [Requirement(text) for text in [*PROJECT["dependencies"], *extras]]
    wanted = [each for each in wanted if each.name != "kpibook"]
    outside = [str(r) for r in wanted if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert len(wanted) > 20
    assert outside == []


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FOREIGN[what])
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and Parquet
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_modules_are_small() -> None:
    sizes = _modules()
    assert {name: lines for name, lines in sizes.items() if lines > 300} == {}
    assert statistics.median(sizes.values()) <= 120


def _top() -> set[str]:
    package = ROOT / "core" / "kpibook"
    found = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    return found - {"__init__"}


def test_every_module_stands_in_one_storey() -> None:
    """import-linter refuses one that is missing; here it is seen that it is told to."""
    contract, *_ = TOOL["importlinter"]["contracts"]
    assert (contract["type"], contract["containers"], contract["exhaustive"]) == ("layers", ["kpibook"], True)
    named = [name for layer in contract["layers"] for name in layer.split(" | ")]
    assert sorted(named) == sorted(_top())


def test_a_pack_is_kept_from_every_other_module() -> None:
    *_, contract = TOOL["importlinter"]["contracts"]
    assert contract["source_modules"] == ["loyalty_kpis"]
    assert set(contract["forbidden_modules"]) == {f"kpibook.{name}" for name in _top() - FOR_PACKS}


def test_the_source_distribution_holds_every_file(tmp_path: Path) -> None:
    built = Path(next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path))))
    with tarfile.open(built) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {path.relative_to(ROOT).as_posix() for path in _tracked()} - held == set()
    assert held - {"PKG-INFO"} <= {path.relative_to(ROOT).as_posix() for path in _tracked()}


def test_the_door_is_narrow_and_in_order() -> None:
    public = {
        name
        for name in [*vars(kpibook), *dir(kpibook)]
        if not name.startswith("_")
        and name not in {"annotations", "Any", "TYPE_CHECKING"}
        and not isinstance(getattr(kpibook, name), ModuleType)
    }
    assert kpibook.__all__ == sorted(public)
    assert len(kpibook.__all__) <= 15


def test_every_verb_is_explained() -> None:
    make = shutil.which("make")
    assert make, "make is missing"
    shown = subprocess.run([make, "-C", str(ROOT), "-s", "help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^ {2}make (\w+) +\S", shown, flags=re.MULTILINE)
    first = ["demo", "test", "lint", "docs", "bench", "fuzz", "large", "browser"]
    assert verbs == [*first, "recipes", "week", "server", "spark", "torture", "samples", "help"]


def test_ci_is_one_script_that_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert "set -euo pipefail" in text
    assert re.findall(r"^make (.+)$", text, flags=re.MULTILINE) == ["lint", "test", "bench ROUNDS=1 CLIENTS=4"]


def test_a_project_runs_the_command_in_a_folder_and_home_of_its_own(make_project: Callable[..., Project]) -> None:
    project = make_project({"data/lines.csv": pd.DataFrame({"a": [1]}), "params/x.yaml": "client: x\n"})
    result = project.run("--help")
    assert (result.code, result.err) == (0, "")
    assert "schema" in result.out
    assert sorted(path.name for path in project.path.rglob("*")) == ["data", "lines.csv", "params", "x.yaml"]
    assert list(project.home.iterdir()) == []
