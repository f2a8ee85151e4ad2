"""A KPI begun: a loose file with its test, or a pack that can be installed. Nothing that is there is written over."""

from __future__ import annotations

from pathlib import Path

from kpibook.errors import ParamsError, Problem

KPI = '''"""TITLE: say here what the KPIs of this file are about."""

from kpibook import hookimpl, kpi, share


@kpi(unit="percent", better="neutral", family="sales", question="What does a director ask that this answers?")
def NAME(receipts, *, least: float = 50.0):
    """TITLE: receipts of at least the setting `least`, out of all receipts."""
    return share(receipts.net_amount >= least, cluster=receipts.customer_id)


@hookimpl
def kpibook_definitions():
    return [NAME]
'''
TEST = '''"""NAME, worked by hand."""

from pathlib import Path

from kpibook.testing import Case, check

CASES = [
    Case(
        kpi="NAME",
        worked="of the receipts over 20, 50, 80 and 10, two are of 50 or more: 2 / 4",
        value=0.5,
        period="2024-01-01/2024-12-31",
        tables={
            "transactions": [
                {"transaction_id": "t1", "customer_id": "ana", "ts": "2024-01-10 12:00:00", "channel": "store"},
                {"transaction_id": "t2", "customer_id": "ana", "ts": "2024-02-10 12:00:00", "channel": "web"},
                {"transaction_id": "t3", "customer_id": "bea", "ts": "2024-03-10 12:00:00", "channel": "web"},
                {"transaction_id": "t4", "customer_id": None, "ts": "2024-04-10 12:00:00", "channel": "store"},
            ],
            "order_lines": [
                {"transaction_id": "t1", "net_amount": 20},
                {"transaction_id": "t2", "net_amount": 50},
                {"transaction_id": "t3", "net_amount": 80},
                {"transaction_id": "t4", "net_amount": 10},
            ],
        },
    )
]


def test_worked_by_hand():
    check(CASES, PLACE)
'''
PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "PACK"
version = "0.1.0"
description = "KPIs for kpibook"
requires-python = ">=3.11"
dependencies = ["kpibook"]

[project.entry-points.kpibook]
MODULE = "MODULE"

[tool.hatch.build.targets.wheel]
packages = ["MODULE"]
"""
PO = """msgid ""
msgstr ""
"Language: LANGUAGE\\n"
"Content-Type: text/plain; charset=UTF-8\\n"

# Title, definition and question, each as the code has it. What is left empty stays as the code has it.
msgid "TITLE"
msgstr ""

msgid "receipts of at least the setting `least`, out of all receipts."
msgstr ""

msgid "What does a director ask that this answers?"
msgstr ""
"""
LANGUAGES = ("de", "es", "it")


def new_kpi(folder: Path, name: str) -> list[Path]:
    """``name.py`` and ``test_name.py`` in ``folder``, with catalogues for its words; the names of what was made."""
    place = f'Path(__file__).with_name("{name}.py")'
    files = {folder / f"{name}.py": _kpi(name), folder / f"test_{name}.py": _test(name, place)}
    files |= {folder / "locale" / lang / f"{name}.po": _po(name, lang) for lang in LANGUAGES}
    return _written(files)


def new_pack(folder: Path, name: str) -> list[Path]:
    """A folder ``name`` with pyproject.toml, a module with one KPI, its test and the catalogues of its words."""
    root, module = folder / name, name.replace("-", "_")
    kpi = f"{module}_share"
    files = {
        root / "pyproject.toml": PYPROJECT.replace("PACK", name).replace("MODULE", module),
        root / module / "__init__.py": _kpi(kpi),
        root / "tests" / f"test_{module}.py": _test(kpi, "Path(__file__).parents[1]"),
    }
    files |= {root / module / "locale" / f"{lang}.po": _po(kpi, lang) for lang in LANGUAGES}
    return _written(files)


def _kpi(name: str) -> str:
    return KPI.replace("NAME", name).replace("TITLE", _title(name))


def _po(name: str, language: str) -> str:
    return PO.replace("LANGUAGE", language).replace("TITLE", _title(name))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _test(name: str, place: str) -> str:
    return TEST.replace("NAME", name).replace("PLACE", place)


def _written(files: dict[Path, str]) -> list[Path]:
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        raise ParamsError([Problem(str(p), "is there already", "give another name, or take it away") for p in there])
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise ParamsError(Problem(str(path), what, "name a folder in which you may write")) from error
    return list(files)
