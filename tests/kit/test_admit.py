"""The plugin kit: what it writes is admitted, what is wrong is told, hostile names write nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kpibook import cli
from kpibook.errors import ParamsError, PluginError
from kpibook.kit import checks, names, scaffold
from kpibook.kit.admit import admit
from kpibook.kit.target import read
from kpibook.testing import check

Capture = pytest.CaptureFixture[str]
PANDAS = '''"""Own."""

import pandas as pd

from kpibook import hookimpl, kpi, modelled


@kpi(unit="money", better="higher", columns={"receipts": ["net_amount"]})
def own(receipts: pd.DataFrame):
    """Own: BODY, out of all."""
    amounts = receipts.net_amount.astype(float)
    return modelled(BODY)


@hookimpl
def kpibook_definitions():
    return [own]
'''


def written(folder: Path, body: str, value: str) -> Path:
    """The KPI ``own`` in pandas, with the case of the kit's own test: receipts over 20, 50, 80 and 10."""
    _, test, *_ = scaffold.new_kpi(folder, "own")
    (folder / "own.py").write_text(PANDAS.replace("BODY", body), encoding="utf-8")
    test.write_text(test.read_text(encoding="utf-8").replace("value=0.5", f"value={value}"), encoding="utf-8")
    return folder / "own.py"


@pytest.fixture
def no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own takes ten seconds; one test has it."""
    monkeypatch.setattr(checks, "budget", lambda case, target: iter(()))


def test_what_new_kpi_writes_is_admitted_and_recorded(tmp_path: Path, monkeypatch: Any, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (("new-kpi", "big_share", "--in", "own"), ("admit", "own/big_share.py")):
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        assert left.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "own/big_share.py",
        "own/test_big_share.py",
        "own/locale/de/big_share.po",
        "own/locale/es/big_share.po",
        "own/locale/it/big_share.po",
        "next: kpibook admit own/big_share.py",
        (
            "big_share: not all of its words are in de, es, it: reports in these show the docstring's"
            " · add to locale/<language>/: 'Big share', 'receipts of at least the setting `least`, out of all"
            " receipts.', 'What does a director ask that this answers?'"
        ),
        "big_share: admitted",
    ]
    assert list(json.loads((tmp_path / "own" / "admitted.json").read_text(encoding="utf-8"))["kpis"]) == ["big_share"]


@pytest.mark.usefixtures("no_budget")
def test_what_new_pack_writes_is_admitted(tmp_path: Path) -> None:
    scaffold.new_pack(tmp_path, "quux-kpis")
    verdict = admit(tmp_path / "quux-kpis")
    assert (verdict.problems, verdict.admitted) == ((), ("quux_kpis_share",))
    assert verdict.files == (tmp_path / "quux-kpis" / "quux_kpis" / "admitted.json",)


@pytest.mark.usefixtures("no_budget")
@pytest.mark.parametrize(
    ("body", "value", "told"),
    [
        ("1.0", "0.5", r"own: its case gives 1\.0, worked out was 0\.5 · mend the function, or the case"),
        (
            "__import__('random').random()",
            "0.5",
            (
                r"own: the order of the rows changes its figure: 0\.\d+, 0\.\d+"
                r" · sort by a key before rows are counted off or cut"
            ),
        ),
        (
            "amounts.max()",
            "80.0",
            (
                r"own: its parts by channel add up to 100, the whole is 80"
                r' · mend it, or say why in the case: parts="a median"'
            ),
        ),
        (
            "100 / float(amounts.iloc[[0, 3]].sum()) if len(amounts) > 3 else None",
            "100 / 30",
            (
                r"own: with every amount 0 it fails: own: ZeroDivisionError: float division by zero · mend the function"
                r" \(own\.py:8\) · return modelled\(None\) where there is nothing to compute"
            ),
        ),
    ],
)
def test_what_is_to_be_mended_is_told(tmp_path: Path, body: str, value: str, told: str) -> None:
    verdict = admit(written(tmp_path, body, value))
    assert [str(p) for p in verdict.problems if re.fullmatch(told, str(p))] != []
    assert verdict.admitted == ()
    assert not (tmp_path / "admitted.json").exists()


@pytest.mark.usefixtures("no_budget")
def test_a_kpi_without_a_case_is_not_admitted(tmp_path: Path) -> None:
    path = written(tmp_path, "1.0", "1.0")
    (tmp_path / "test_own.py").unlink()
    assert [str(p) for p in admit(path).problems] == [
        "own: no case worked by hand is in test_own.py · add a Case to CASES, as kpibook new-kpi writes it"
    ]


def test_a_definition_that_executes_a_query_is_told(tmp_path: Path) -> None:
    path, *_ = scaffold.new_kpi(tmp_path, "own")
    text = path.read_text(encoding="utf-8").replace(
        "    return share(", "    receipts.count().execute()\n    return share("
    )
    path.write_text(text, encoding="utf-8")
    assert [str(p) for p in admit(path).problems] == [
        (
            "own: own (own.py:6): it executes a query while it is defined (execute) · return the expression, and let"
            " the engine execute it"
        )
    ]


def test_a_case_that_differs_fails_the_plugin_s_own_test(tmp_path: Path) -> None:
    path = written(tmp_path, "1.0", "0.5")
    with pytest.raises(AssertionError) as caught:
        check(read(path).cases, path)
    assert str(caught.value) == "own: its case gives 1.0, worked out was 0.5 · mend the function, or the case"
    with pytest.raises(AssertionError) as caught:
        check([], path)
    assert str(caught.value) == "there is no case"


@pytest.mark.parametrize("name", ["../x", "a/b", "Big", "a b", "", "1a", "a" * 61, ".x", "x\n"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(ParamsError) as caught:
        names.kpi(name, frozenset())
    remedy = "write small letters, digits and _, a letter first, 60 at most"
    assert str(caught.value) == f"command line: {name[:80]!r} is no name of a KPI · {remedy}"
    with pytest.raises(ParamsError) as caught:
        names.pack(name)
    remedy = "write small letters, digits and hyphens, a letter first, 60 at most"
    assert str(caught.value) == f"command line: {name[:80]!r} is no name of a pack · {remedy}"


@pytest.mark.parametrize("name", ["class", "match", "json"])
def test_words_of_python_are_refused(name: str) -> None:
    for refuse in (lambda: names.kpi(name, frozenset()), lambda: names.pack(name)):
        with pytest.raises(ParamsError) as caught:
            refuse()
        assert str(caught.value) == f"command line: '{name}' is a word of Python's own · give it another name"


def test_names_that_are_taken_are_refused() -> None:
    with pytest.raises(ParamsError) as caught:
        names.kpi("net_sales", frozenset({"net_sales"}))
    remedy = "give it another name; kpibook kpis lists the KPIs"
    assert str(caught.value) == f"command line: 'net_sales' is taken · {remedy}"
    with pytest.raises(ParamsError) as caught:
        names.pack("kpibook")
    assert str(caught.value) == "command line: 'kpibook' is taken · give it another name"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("mine", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        scaffold.new_kpi(tmp_path, "own")
    told = f"{tmp_path / 'own.py'}: is there already · give another name, or take it away"
    assert str(caught.value) == told
    assert [p.name for p in tmp_path.iterdir()] == ["own.py"]
    with pytest.raises(ParamsError) as caught:
        scaffold.new_kpi(tmp_path / "own.py" / "below", "own")
    assert str(caught.value).endswith("cannot be written (Not a directory) · name a folder in which you may write")


def test_what_is_no_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as caught:
        admit(tmp_path)
    remedy = "name a .py file, or a folder with a pyproject.toml"
    assert str(caught.value) == f"{tmp_path}: is no KPI file and no folder of a pack · {remedy}"
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    with pytest.raises(PluginError) as caught_too:
        admit(tmp_path)
    remedy = 'add [project.entry-points.kpibook] with name = "module"'
    assert str(caught_too.value) == f"pyproject.toml: it names no entry point of group 'kpibook' · {remedy}"


def test_a_test_file_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    path, test, *_ = scaffold.new_kpi(tmp_path, "own")
    test.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        admit(path)
    told = "test_own.py: it cannot be imported: ZeroDivisionError: division by zero · mend the test file"
    assert str(caught.value) == told
