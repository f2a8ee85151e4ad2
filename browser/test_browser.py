"""What Chromium and LibreOffice make of the report of an attacked client: nothing is executed, nothing is asked for.

``make browser`` installs both programs where they are missing.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import pytest

import attacks
from attacks import EVIL_HOST as EVIL
from hostile.conftest import attacked_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hostile.hostile_client import Attacked

#: Loaded first in each page: what an attack would do is told to the page around it.
SPY = """<script>
for (const name of ["alert", "confirm", "prompt", "open", "fetch", "eval"])
  window[name] = (...given) => { parent.hits.push(name + " " + given); };
window.addEventListener("error", event => parent.hits.push("error " + event.message), true);
window.addEventListener("securitypolicyviolation", event => parent.hits.push("policy " + event.violatedDirective));
</script>"""
#: Waits for the page, then does to each of its elements what a reader could do.
HARNESS = """<!DOCTYPE html><title>harness</title><iframe id=page src="/PAGE" width=1200 height=900></iframe><script>
window.hits = [];
document.getElementById("page").addEventListener("load", () => {
  const page = document.getElementById("page").contentDocument;
  const all = [...page.querySelectorAll("*")];
  for (const element of all)
    for (const kind of ["mouseover", "mouseenter", "focus", "toggle", "begin", "pointerdown", "change"])
      element.dispatchEvent(new Event(kind, {bubbles: true}));
  for (const link of page.querySelectorAll("a"))
    if (!link.getAttribute("href").startsWith("#")) hits.push("link " + link.getAttribute("href"));
  setTimeout(() => {
    const result = document.createElement("pre");
    result.id = "result";
    result.textContent = JSON.stringify({elements: all.length, hits: hits, scripts: page.scripts.length});
    document.body.append(result);
  }, 500);
});
</script>"""
CALC = ("soffice", "--headless", "--norestore", "--convert-to", "fods:OpenDocument Spreadsheet Flat XML")
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    made = attacked_run(tmp_path_factory.mktemp("attacked"))
    assert made.result.code == 0
    return made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A web server on this machine: its address, its folder, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *given: Any) -> None:  # noqa: A002, ARG002  the names are the base's
            asked.append(self.path)

    (tmp_path / "site").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", tmp_path / "site", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def opened(page: str, site: tuple[str, Path, list[str]], tmp_path: Path) -> dict[str, Any]:
    """What happened in a page: hits, requests, console messages, hosts that were looked up."""
    address, folder, asked = site
    (folder / "page.html").write_text(SPY + page, encoding="utf-8")
    (folder / "harness.html").write_text(HARNESS.replace("PAGE", "page.html"), encoding="utf-8")
    asked.clear()
    log = tmp_path / "net.json"
    done = subprocess.run(
        [
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--log-net-log={log}",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            "--dump-dom",
            f"{address}/harness.html",
        ],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=300,
        check=True,
    )
    text = done.stdout.rpartition('<pre id="result">')[2].partition("</pre>")[0]
    found: dict[str, Any] = json.loads(html.unescape(text))
    found["asked"] = sorted(set(asked) - {"/harness.html", "/page.html", "/favicon.ico"})
    found["console"] = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    events = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if EVIL in line]
    found["evil"] = bool(events)
    found["sent"] = any('"method":"GET"' in event for event in events)
    return found


QUIET = {"hits": [], "asked": [], "console": [], "evil": False, "sent": False, "scripts": 1}  # the spy's own script


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (attacks.HTML[0], "alert 1"),
        (attacks.HTML[2], "alert 1"),
        (attacks.HTML[3], "alert 1"),
        (attacks.HTML[9], "link javascript:alert(1)"),
    ],
)
def test_an_attack_that_gets_through_is_noticed(
    site: tuple[str, Path, list[str]], tmp_path: Path, attack: str, told: str
) -> None:
    """The check can fail: pages in which an attack stands unescaped."""
    assert told in opened(f"<p>{attack}</p>", site, tmp_path)["hits"]


def test_a_request_that_gets_out_is_noticed(site: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    found = opened(f"<img src=/inside.png><img src=http://{EVIL}/a.png>", site, tmp_path)
    assert found["asked"] == ["/inside.png"]
    assert found["sent"]


def test_the_page_executes_nothing(attacked: Attacked, site: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    """Without its policy, so that nothing but the escaping holds the attacks."""
    page = (attacked.report / "report.html").read_text(encoding="utf-8")
    head, policy, rest = page.partition('<meta http-equiv="Content-Security-Policy"')
    assert policy
    found = opened(head + rest.partition(">")[2], site, tmp_path)
    assert found.pop("elements") > 1000
    assert found == QUIET


def test_the_policy_of_the_page_lets_no_attack_run_even_unescaped(
    attacked: Attacked, site: tuple[str, Path, list[str]], tmp_path: Path
) -> None:
    page = (attacked.report / "report.html").read_text(encoding="utf-8")
    raw = "".join(f"<p>{attack}</p>" for attack in attacks.HTML if "refresh" not in attack)
    found = opened(page.replace("</main>", f"{raw}</main>"), site, tmp_path)
    assert any(hit.startswith("policy") for hit in found["hits"])
    assert [hit for hit in found["hits"] if hit.startswith(("alert", "confirm", "prompt", "fetch"))] == []
    assert not found["sent"]


def test_the_notebook_executes_nothing(attacked: Attacked, site: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    """The HTML of every output, as a notebook program shows it when it is trusted."""
    notebook = nbformat.read(attacked.report / "report.ipynb", as_version=4)
    outputs = [output.data["text/html"] for cell in notebook.cells for output in cell.get("outputs", ())]
    found = opened("\n".join(outputs), site, tmp_path)
    assert found.pop("elements") > 1000
    assert found == QUIET


def cells(path: Path, folder: Path, *options: str) -> list[ET.Element]:
    """The cells of a file, as LibreOffice reads it."""
    command = [*CALC, *options, "--outdir", str(folder), f"-env:UserInstallation=file://{folder}/profile", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    tree = ET.parse(folder / f"{path.stem}.fods")  # noqa: S314  LibreOffice wrote it
    return list(tree.iter(f"{TABLE}table-cell"))


#: Field separator, text delimiter, UTF-8, first line, and that formulas are evaluated.
COMMAS = "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,-1,true"
SEMICOLONS = "--infilter=CSV:59,34,76,1,,0,false,true,false,false,false,-1,true"


def test_a_formula_that_gets_through_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text('a,b\n=1+1,"x;=2+2;y"\n', encoding="utf-8")
    assert [c.get(f"{TABLE}formula") for c in cells(tmp_path / "raw.csv", tmp_path, COMMAS)].count("of:=1+1") == 1
    shutil.rmtree(tmp_path / "profile")
    assert [c.get(f"{TABLE}formula") for c in cells(tmp_path / "raw.csv", tmp_path, SEMICOLONS)].count("of:=2+2") == 1


@pytest.mark.parametrize("separator", [COMMAS, SEMICOLONS])
def test_a_spreadsheet_computes_no_cell(attacked: Attacked, tmp_path: Path, separator: str) -> None:
    found = cells(attacked.report / "scorecard.csv", tmp_path, separator)
    assert [cell.get(f"{TABLE}formula") for cell in found if cell.get(f"{TABLE}formula")] == []
    if separator == COMMAS:
        numbers = [cell for cell in found if cell.get(f"{OFFICE}value-type") == "float"]
        card = pd.read_csv(attacked.report / "scorecard.csv", usecols=["value", "n"])
        assert len(numbers) > card["value"].count() + card["n"].count()
