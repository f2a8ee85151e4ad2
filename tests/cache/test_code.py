"""Which code made a number: any change of it is another one."""

import sys

import pytest

from kpibook.cache import code
from kpibook.plugins import discover

PLUGIN = """
import pandas as pd
from kpibook import hookimpl, kpi, modelled

@kpi(unit="count", better="higher", columns={"transactions": ["transaction_id"]})
def written(transactions: pd.DataFrame):
    "Written: receipts."
    return modelled(float(len(transactions)))

@hookimpl
def kpibook_definitions():
    return [written]
"""


@pytest.fixture
def fresh():
    """Digests are of what a process has loaded, and are taken once."""
    kept = (code.engine, code.package, code.packs)
    for each in kept:
        each.cache_clear()
    yield
    for each in kept:
        each.cache_clear()


def test_a_byte_a_name_or_a_further_file_changes_a_digest(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a")
    two.write_text("b")
    found = [code.digest([one, two]), code.digest([one])]
    two.write_text("c")
    found.append(code.digest([one, two]))
    two.rename(tmp_path / "three.py")
    found.append(code.digest([one, tmp_path / "three.py"]))
    assert len(set(found)) == 4


def test_another_library_is_another_engine(tmp_path, monkeypatch, fresh):
    before = code.engine()
    (tmp_path / "arithmetic-2.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    code.engine.cache_clear()
    assert "arithmetic-2.0.dist-info" in code.installed()
    assert code.engine() != before


def test_a_loose_file_rests_on_its_folder(tmp_path):
    (tmp_path / "own.py").write_text(PLUGIN)
    (tmp_path / "helper.py").write_text("from own import kpibook_definitions\nFACTOR = 1\n".replace("from own", "# "))
    (tmp_path / "_other.py").write_text("FACTOR = 1\n")
    (tmp_path / "helper.py").unlink()
    (definition,) = (s.definition for s in discover(tmp_path).catalog.sources if s.origin == f"{tmp_path.name}/own.py")
    before = code.behind(definition.function)
    assert code.behind(definition.function) == before
    (tmp_path / "_other.py").write_text("FACTOR = 2\n")
    assert code.behind(definition.function) != before


def test_a_pack_rests_on_all_of_its_files(tmp_path, monkeypatch, fresh):
    package = tmp_path / "pack_of_two"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "kpis.py").write_text("def one(): return 1\n")
    (package / "weights.csv").write_text("1\n")
    monkeypatch.syspath_prepend(tmp_path)
    from pack_of_two import kpis

    before = code.behind(kpis.one)
    (package / "weights.csv").write_text("2\n")
    code.package.cache_clear()
    assert code.behind(kpis.one) != before


def test_what_stands_in_no_file_is_not_told():
    space = {"__name__": "typed_in"}
    exec("def one(): return 1", space)  # noqa: S102
    assert code.behind(space["one"]) is None
