"""Two clients in one batch: neither sees the other's files, secrets or folders."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from typing import TYPE_CHECKING, Self

import pandas as pd
import psutil
import pytest

from conftest import Project
from intake import postgres_server
from kpibook.report.leakscan import referenced, scan, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "CANARY-4711-oat"
SECRETS = {"OATS_PASSWORD": "oats:p@ss/word", "RYE_PASSWORD": "rye%2Bpass&word"}
#: A notebook that looks around: the whole report takes a minute, the promise is the same.
NOTEBOOK = """
import json, os
from pathlib import Path

seen = {name: value for name, value in os.environ.items()}
others = sorted(name for name in seen if name.endswith("_PASSWORD"))
spill = [str(path) for path in Path(os.environ["KPIBOOK_RUN_DIR"]).glob("kpibook-*")]
print(json.dumps({"passwords": others, "odd": seen.get("ODD"), "spill": len(spill)}))
"""
PARAMS = """
client: {name}
title: {name}
language: en
currency: EUR
timezone: Europe/Rome
period: 2024-04-01/2024-06-30
compare: none
source: {source}
tables:
  order_lines:
    from: {lines}
    columns: {{transaction_id: ticket, customer_id: person, ts: day, product_id: article, net_amount: net}}
breakdowns: [month]
notebook: audit.ipynb
"""


def lines(prefix: str) -> pd.DataFrame:
    rows = [(f"{prefix}{n}", month) for n in range(30) for month in (4, 5, 6)]
    return pd.DataFrame(
        {
            "ticket": [f"{person}-{month}" for person, month in rows],
            "person": [person for person, _ in rows],
            "day": [f"2024-0{month}-03 12:00:00" for _, month in rows],
            "article": "x",
            "net": [10.0 + month for _, month in rows],
        }
    )


def notebook() -> str:
    import nbformat

    book = nbformat.v4.new_notebook()
    cells = ['params = "x.yaml"', "import kpibook\nbook = kpibook.open(params)", NOTEBOOK, 'book.section("sales")']
    cells += ["book.definitions()", "book.save()"]
    book.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    book.cells[0].metadata["tags"] = ["parameters"]
    return nbformat.writes(book)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as found:
        found.sql(
            f"CREATE ROLE rye LOGIN PASSWORD '{SECRETS['RYE_PASSWORD']}'",
            "CREATE TABLE lines (ticket text, person text, day timestamp, article text, net numeric(9, 2))",
            "GRANT SELECT ON lines TO rye",
        )
        with found.admin() as con, con.cursor().copy("COPY lines FROM STDIN") as copy:
            for row in lines("r").itertuples(index=False):
                copy.write_row(row)
        yield found


class Watched:
    """The command lines of all processes, and the modes of all folders below ``out``, as long as a run lasts."""

    def __init__(self, out: Path) -> None:
        self.out, self.commands, self.modes, self.stop = out, set(), set(), threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()

    def _look(self) -> None:
        while not self.stop.is_set():
            for process in psutil.process_iter(["cmdline"]):
                self.commands.add(" ".join(process.info["cmdline"] or ()))
            for folder in (self.out / ".staging").glob("*/"):
                try:
                    self.modes.add(oct(stat.S_IMODE(folder.stat().st_mode)))
                except FileNotFoundError:  # it was published between the two
                    continue
            time.sleep(0.05)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory, server: postgres_server.Server) -> tuple[Project, Watched, str]:
    base = tmp_path_factory.mktemp("batch")
    project = Project(base / "project", base / "home", dict(SECRETS))
    project.path.mkdir()
    project.home.mkdir()
    oats = lines("o")
    oats.loc[oats["person"] == "o7", "person"] = CANARY
    url = f"postgres://rye:${{RYE_PASSWORD}}@127.0.0.1:{server.port}/postgres\nextract: true"
    project.write(
        {
            "params/oats.yaml": PARAMS.format(name="oats", source="../oats  # ${OATS_PASSWORD}", lines="lines.csv"),
            "params/rye.yaml": PARAMS.format(name="rye", source=url, lines="lines"),
            "params/audit.ipynb": notebook(),
            "oats/lines.csv": oats,
        }
    )
    (base / "tmp").mkdir()
    with Watched(project.path / "reports") as watched:
        done = project.run(
            "run", "params/oats.yaml", "params/rye.yaml", "--jobs", "2", ODD="x", TMPDIR=str(base / "tmp"), timeout=600
        )
    assert (done.code, done.err.count("valid")) == (0, 2), done.err  # twice the step "validation"
    return project, watched, done.out + done.err


def reports(project: Project) -> list[Path]:
    """Whatever stands below the reports folder but the cache of the canary's own client, which holds its customers."""
    every = (path for path in (project.path / "reports").rglob("*") if path.is_file())
    return [path for path in every if path.relative_to(project.path / "reports").parts[:2] != (".cache", "oats")]


def test_a_canary_of_one_client_is_in_no_file_of_the_other(batch: tuple[Project, Watched, str]) -> None:
    """In any spelling, packed or not: what the leak scan finds in the canary's own source it would find elsewhere."""
    project, _, said = batch
    canary = referenced("${CANARY}", {"CANARY": CANARY})
    assert scan(texts(project.path, [project.path / "oats/lines.csv"]), canary) == [("oats/lines.csv", "CANARY")]
    every = reports(project)
    assert {path.parts[-3] for path in every if path.name == "report.html"} == {"oats", "rye"}
    assert scan(texts(project.path, every), canary) == []
    assert scan([("terminal", said)], canary) == []


def test_a_kernel_sees_its_own_secrets_only(batch: tuple[Project, Watched, str]) -> None:
    project, _, _ = batch
    seen = {}
    for client in ("oats", "rye"):
        (path,) = (project.path / "reports" / client).glob("*/report.ipynb")
        outputs = [o for c in json.loads(path.read_text(encoding="utf-8"))["cells"] for o in c.get("outputs", ())]
        printed = [json.loads("".join(o["text"])) for o in outputs if o["output_type"] == "stream"]
        seen[client] = printed
    assert seen == {
        "oats": [{"passwords": ["OATS_PASSWORD"], "odd": None, "spill": 1}],
        "rye": [{"passwords": ["RYE_PASSWORD"], "odd": None, "spill": 1}],
    }


def test_no_secret_is_in_a_file_on_the_terminal_or_in_the_list_of_processes(
    batch: tuple[Project, Watched, str],
) -> None:
    project, watched, said = batch
    secrets = referenced("${OATS_PASSWORD} ${RYE_PASSWORD}", SECRETS)
    assert sorted(secrets.spellings) == sorted(SECRETS)
    assert any("kpibook.report.warm" in command for command in watched.commands)  # workers and kernels are its forks
    outside = [("terminal", said), *(("processes", command) for command in watched.commands)]
    assert scan([*texts(project.path, reports(project)), *outside], secrets) == []


def test_the_folders_of_a_run_are_its_own_and_gone_afterwards(batch: tuple[Project, Watched, str]) -> None:
    project, watched, _ = batch
    assert watched.modes == {"0o700"}
    left = sorted(path.name for path in (project.path / "reports/.staging").iterdir())
    assert left == [".lock", "oats.lock", "rye.lock"]
    assert list((project.home.parent / "tmp").iterdir()) == []
    assert list(project.home.iterdir()) == []


def test_a_run_that_fails_on_its_database_tells_no_secret_and_leaves_no_folder(
    batch: tuple[Project, Watched, str],
) -> None:
    """A wrong password: exit code 3, one line, no traceback; evidence without it."""
    project, _, _ = batch
    wrong = "wrong/p@ss:word"
    done = project.run("run", "params/rye.yaml", "--out", "failed", RYE_PASSWORD=wrong)
    assert done.code == 3
    lines = [line for line in done.err.splitlines() if line.startswith("  ")]
    assert lines[0] == (
        f"  {project.path}/params/rye.yaml:9: source: the server answers and refuses the login · "
        "check RYE_PASSWORD: user, password, name of the database, and who may connect"
    )
    assert lines[1].startswith("  evidence: failed/rye/failed/")
    assert len(lines) == 2
    evidence = [path for path in (project.path / "failed").rglob("*") if path.is_file()]
    assert {"report.ipynb", "run.json", "log.txt"} <= {path.name for path in evidence}
    secrets = referenced("${RYE_PASSWORD}", {"RYE_PASSWORD": wrong})
    found = [*texts(project.path, evidence), ("terminal", done.out + done.err)]
    assert scan(found, secrets) == []
    assert not any("psycopg" in text for _, text in found)
    (place,) = (project.path / "failed/rye/failed").iterdir()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [path.name for path in place.iterdir() if path.name.startswith(("kpibook-", "work"))] == []


def test_check_tells_a_lost_database_without_the_secret(batch: tuple[Project, Watched, str]) -> None:
    project, _, _ = batch
    wrong = "wrong/p@ss:word"
    done = project.run("check", "params/rye.yaml", RYE_PASSWORD=wrong)
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "params/rye.yaml:9: source: the server answers and refuses the login · "
        "check RYE_PASSWORD: user, password, name of the database, and who may connect\n"
    )


def test_the_environment_of_a_kernel_is_a_short_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kpibook.report.kernel import environment

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("OURS", "y")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    found = environment(tmp_path, tmp_path, "mark", ["OURS", "NOT_SET"])
    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert "NOT_SET" not in found
    assert (found["OURS"], found["LC_ALL"], found["PATH"]) == ("y", "C.UTF-8", os.environ["PATH"])
