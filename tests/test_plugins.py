"""Where definitions come from, and every refusal on the way."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from kpibook.errors import PluginError
from kpibook.plugins import discover

TWO_KPIS = '''"""Two KPIs of our own."""

from kpibook import hookimpl, kpi, share, total


@kpi(unit="count", better="higher")
def own_receipts(receipts):
    """Own receipts: number of receipts."""
    return total(receipts.count())


@kpi(unit="percent", better="neutral")
def own_card_use(receipts):
    """Own card use: receipts on which the card was shown, out of all receipts."""
    return share(receipts.member_id.notnull())


@hookimpl
def kpibook_definitions():
    return [own_receipts, own_card_use]
'''


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Install a pack: a module and its metadata on a path of its own."""

    def install(name: str, module: str, source: str, entry: str | None = None) -> None:
        site = tmp_path / name
        info = site / f"{name.replace(chr(45), chr(95))}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kpibook]\n{entry or name} = {module}\n")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def refused(folder: Path | None) -> str:
    with pytest.raises(PluginError) as caught:
        discover(folder)
    return str(caught.value)


def test_our_own_pack_comes_by_its_entry_point():
    found = discover().catalog

    assert found.kpis["net_sales"].origin == "kpibook 0.1.0"


def test_a_loose_file(folder):
    (folder / "own.py").write_text(TWO_KPIS)
    found = discover(folder).catalog

    assert found.kpis["own_receipts"].origin == "plugins/own.py"
    assert found.kpis["own_receipts"].definition.family == "own"
    assert list(found.kpis)[-2:] == ["own_receipts", "own_card_use"]


def test_an_installed_pack(pack):
    pack("acme-kpis", "acme_kpis", TWO_KPIS)
    found = discover().catalog

    assert found.kpis["own_card_use"].origin == "acme-kpis 1.0"


def test_the_same_ids_are_refused_with_both_origins(folder):
    (folder / "own.py").write_text(TWO_KPIS.replace("own_receipts", "net_sales"))
    message = refused(folder)

    assert message.startswith("plugins/own.py: own.py:6: 'net_sales' is already defined by kpibook 0.1.0: sales.py:")
    assert message.endswith(" · give it another name")


def test_a_broken_pack_leaves_the_others_standing(pack):
    pack("broken-kpis", "broken_kpis", "import nothing_of_that_name\n")
    found = discover()

    assert "net_sales" in found.catalog.kpis
    assert [str(p) for p in found.broken] == [
        (
            "broken-kpis 1.0: pack 'broken-kpis' cannot be loaded: ModuleNotFoundError: No module named"
            " 'nothing_of_that_name' · mend or uninstall it"
        )
    ]


def test_two_distributions_under_one_entry_point_name(pack):
    pack("acme-one", "acme_one", TWO_KPIS, entry="acme")
    pack("acme-two", "acme_two", TWO_KPIS, entry="acme")

    assert refused(None) == (
        "acme-one 1.0 and acme-two 1.0: both claim the entry point 'acme' of group 'kpibook' · uninstall one"
    )


def test_a_misspelt_hook(folder):
    (folder / "own.py").write_text(TWO_KPIS.replace("def kpibook_definitions", "def kpibook_definition"))

    assert refused(folder) == (
        "plugins/own.py: unknown hook 'kpibook_definition' · did you mean 'kpibook_definitions'?"
    )


def test_a_misspelt_hook_beside_a_right_one(folder):
    (folder / "own.py").write_text(TWO_KPIS + "\n\n@hookimpl\ndef kpibook_kpis():\n    return []\n")

    assert refused(folder) == "plugins/own.py: unknown hook 'kpibook_kpis' · did you mean 'kpibook_definitions'?"


def test_a_hook_with_an_argument(folder):
    (folder / "own.py").write_text(TWO_KPIS.replace("kpibook_definitions()", "kpibook_definitions(params)"))

    assert refused(folder) == (
        "plugins/own.py: its hook does not fit: Argument(s) {'params'} are declared in the hookimpl but can not be"
        " found in the hookspec · write: def kpibook_definitions():"
    )


def test_a_file_without_a_hook(folder):
    (folder / "own.py").write_text(TWO_KPIS.replace("@hookimpl\n", ""))

    assert refused(folder) == (
        "plugins/own.py: it offers no KPI: no function marked @hookimpl is named kpibook_definitions"
        " · add @hookimpl above def kpibook_definitions()"
    )


def test_broken_files_are_told_all_at_once(folder):
    (folder / "a.py").write_text("def broken(:\n")
    (folder / "b.py").write_text("\n\nimport nothing_of_that_name\n")
    (folder / "c.py").write_text(TWO_KPIS.replace('unit="count"', 'unit="counts"'))

    assert refused(folder).splitlines() == [
        "plugins/a.py:1: it is not Python: invalid syntax · mend this line",
        (
            "plugins/b.py:3: it cannot be imported: ModuleNotFoundError: No module named 'nothing_of_that_name'"
            " · mend the file or take it out of the folder"
        ),
        "plugins/c.py: c.py:6: own_receipts: unknown unit 'counts' · did you mean 'count'?",
    ]


def test_a_hook_that_raises_or_returns_strangers(folder):
    (folder / "a.py").write_text(TWO_KPIS.replace("return [own_receipts, own_card_use]", "raise OSError('no disk')"))
    (folder / "b.py").write_text(TWO_KPIS.replace("[own_receipts, own_card_use]", "[own_receipts, len]"))

    assert refused(folder).splitlines() == [
        (
            "plugins/a.py: kpibook_definitions() raised OSError: no disk"
            " · return a list of definitions and compute nothing"
        ),
        "plugins/b.py: kpibook_definitions() returned 'len', which is no definition · decorate it with @kpi or @view",
    ]


def test_private_files_and_tests_are_left_alone(folder):
    (folder / "_draft.py").write_text("not python at all")
    (folder / "test_own.py").write_text("not python at all")

    assert "net_sales" in discover(folder).catalog.kpis


def test_a_file_that_ends_the_process_or_replaces_a_part_of_pandas(folder):
    (folder / "a.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    (folder / "b.py").write_text("import pandas\npandas.Series.sum = None\n", encoding="utf-8")
    hook = "from kpibook import hookimpl\n@hookimpl\ndef kpibook_definitions():\n    raise SystemExit(1)\n"
    before = pd.Series.sum
    assert refused(folder).splitlines() == [
        "plugins/a.py:1: it cannot be imported: SystemExit: 0 · mend the file or take it out of the folder",
        "plugins/b.py: import: it replaces pandas.Series.sum · write a function of your own, and leave pandas as it is",
    ]
    assert pd.Series.sum is before
    (folder / "a.py").write_text(hook, encoding="utf-8")
    (folder / "b.py").unlink()
    assert refused(folder) == (
        "plugins/a.py: kpibook_definitions() raised SystemExit: 1 · return a list of definitions and compute nothing"
    )
