"""What new-kpi and new-pack write, as its author uses it: its tests run, and the pack is installed as any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kpibook.kit import checks, scaffold
from kpibook.kit.admit import admit

UV = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
#: What an interpreter finds in which the pack is installed.
FOUND = """
import json
from kpibook import admission
from kpibook.plugins import discover
from kpibook.present.titles import translated
catalog = discover().catalog
source = catalog.kpis["quux_kpis_share"]
title = translated(source.definition, "es")[0]
print(json.dumps([source.origin, source.definition.family, admission.is_admitted(catalog, "quux_kpis_share"), title]))
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loose KPI in ``own`` and a pack in ``quux-kpis``, of which the title is translated."""
    folder = tmp_path_factory.mktemp("begun")
    scaffold.new_kpi(folder / "own", "big_share")
    scaffold.new_pack(folder, "quux-kpis")
    words = folder / "quux-kpis" / "quux_kpis" / "locale" / "es.po"
    text = words.read_text(encoding="utf-8")
    title = 'msgid "Quux kpis share"\nmsgstr "'
    assert title in text
    words.write_text(text.replace(title, f"{title}Parte de quux"), encoding="utf-8")
    return folder


def test_its_tests_pass_as_they_are_written(begun: Path) -> None:
    tests = ["own/test_big_share.py", "quux-kpis/tests/test_quux_kpis.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *tests]
    done = subprocess.run(command, cwd=begun, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 passed")


def test_an_admitted_pack_is_installed_with_its_words_and_its_record(begun: Path, tmp_path: Path) -> None:
    assert admit(begun / "quux-kpis").admitted == ("quux_kpis_share",)
    subprocess.run([*UV, "--target", str(tmp_path / "site"), str(begun / "quux-kpis")], check=True)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", FOUND], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["quux-kpis 0.1.0", "sales", True, "Parte de quux"]


def test_a_pack_is_tested_as_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is the same in a notebook: a pack of that name in another folder, and an edit after admission."""
    monkeypatch.setattr(checks, "budget", lambda case, target: iter(()))
    for place in ("one", "two"):
        scaffold.new_pack(tmp_path / place, "quux-kpis")
        verdict = admit(tmp_path / place / "quux-kpis")
        assert verdict.files == (tmp_path / place / "quux-kpis" / "quux_kpis" / "admitted.json",)
    module = tmp_path / "two" / "quux-kpis" / "quux_kpis" / "__init__.py"
    module.write_text(module.read_text(encoding="utf-8").replace(">= least", "> 2 * least"), encoding="utf-8")
    told = "quux_kpis_share: its case gives 0.0, worked out was 0.5 · mend the function, or the case"
    assert [str(p) for p in admit(tmp_path / "two" / "quux-kpis").problems] == [told]
