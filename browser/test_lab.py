"""JupyterLab as an analyst has it, in Chromium: explore.ipynb run, a chart seen, a setting changed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from kpibook.samples import corner

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that a cell may take on a busy machine.
CELL = 180
OUTPUT = ".jp-OutputArea-output"


class Lab(NamedTuple):
    """A running server: its address with a slash at the end, its token, the workspace, the home folder of the user."""

    url: str
    token: str
    workspace: Path
    home: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """``kpibook init`` and ``kpibook lab`` in a new folder, with a home of its own."""
    folder = tmp_path_factory.mktemp("lab")
    home, workspace = folder / "home", folder / "work"
    home.mkdir()
    bare = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    command = str(Path(sys.executable).with_name("kpibook"))
    subprocess.run([command, "init", str(workspace)], env=bare, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--port", str(port), "--allow-root"]
    with (folder / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [command, "lab", *options], cwd=workspace, env=bare, stdout=log, stderr=log, start_new_session=True
        )
        try:
            told = running(workspace, server)
            yield Lab(told["url"], told["token"], workspace, home)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def running(workspace: Path, server: subprocess.Popen[bytes]) -> dict[str, str]:
    """What the server writes of itself when it listens."""
    began = time.monotonic()
    while not (found := list((workspace / ".jupyter" / "runtime").glob("jpserver-*.json"))):
        assert server.poll() is None, "kpibook lab has ended"
        assert time.monotonic() - began < CELL
        time.sleep(0.2)
    told: dict[str, str] = json.loads(found[0].read_text(encoding="utf-8"))
    return told


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    """explore.ipynb, open, without the outputs that it comes with."""
    chromium = shutil.which("chromium")
    assert chromium
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1400, "height": 3000})
        opened.set_default_timeout(CELL * 1000)
        opened.goto(f"{lab.url}lab/tree/notebooks/explore.ipynb?token={lab.token}")
        expect(opened.locator(f".jp-Notebook {OUTPUT}").first).to_be_visible(timeout=CELL * 1000)
        menu(opened, "Edit", "Clear Outputs of All Cells")
        expect(opened.locator(OUTPUT)).to_have_count(0)
        yield opened
        browser.close()


def menu(page: Page, name: str, item: str) -> None:
    """Click an item of the menu bar."""
    page.locator(".lm-MenuBar-itemLabel", has_text=name).first.click()
    page.locator(".lm-Menu-itemLabel", has_text=item).first.click()


def cell(page: Page, text: str) -> Locator:
    """The code cell that holds a text, in view: JupyterLab draws no other."""
    found = page.locator(".jp-Notebook .jp-CodeCell", has=page.locator(".cm-content", has_text=text)).first
    found.scroll_into_view_if_needed()
    return found


def shown(found: Locator, text: str, seconds: int = 20) -> None:
    """Wait for a text in a cell's last output."""
    expect(found.locator(OUTPUT).last).to_contain_text(text, timeout=seconds * 1000)


def test_explore_is_run_and_changed_and_keeps_everything_in_the_workspace(lab: Lab, page: Page) -> None:
    """All 240 persons bought within a year; within 60 and within 30 days fewer."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.partition("://")[2].partition("/")[0]))
    params = (lab.workspace / "params" / "corner.yaml").read_bytes()
    menu(page, "Run", "Run All Cells")
    shown(cell(page, 'book.rows("receipts")'), "T00001", CELL)
    shown(cell(page, "monthly = book.scorecard"), "2024-12")
    shown(cell(page, "book.explain"), "Active customers")
    chart = cell(page, 'book["avg_receipt"]')
    shown(chart, "Average receipt")
    expect(chart.locator(f"{OUTPUT} svg").first).to_be_visible()

    changed = cell(page, "book.with_settings")
    shown(changed, f"Active customers {buyers(60)}")
    changed.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text('book.with_settings(active_customers={"window_days": 30})["active_customers"]')
    page.keyboard.press("Shift+Enter")
    shown(changed, f"Active customers {buyers(30)}", CELL)
    assert (lab.workspace / "params" / "corner.yaml").read_bytes() == params
    assert asked == {lab.url.partition("://")[2].strip("/")}
    assert [str(path.relative_to(lab.home)) for path in lab.home.rglob("*")] == []
    kept = {".jupyter", "data", "docs", "kpi_plugins", "notebooks", "params"}
    assert {path.name for path in lab.workspace.iterdir()} == kept


def buyers(days: int) -> int:
    """Persons who came to Corner in the last ``days`` of 2024."""
    first = date(2024, 12, 31).toordinal() - days + 1
    return len({visit.person for visit in corner.visits() if visit.at.toordinal() >= first})
