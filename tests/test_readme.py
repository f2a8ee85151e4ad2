"""README's blocks are run: the plugin computes, the params load, the commands exist."""

import inspect
import re
from pathlib import Path

import pandas as pd
import pytest

from kpibook import kpi, view
from kpibook.catalog import build
from kpibook.cli import COMMANDS
from kpibook.definition import BETTER, UNITS
from kpibook.plugins import discover
from tiny_client import receipt, run
from tiny_client import shop as shop_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.findall(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1
    return found[0]


@pytest.fixture
def shop(make_project):
    """A corner shop of 300 receipts: ticket n of client n modulo 120 over 10 + n modulo 60, every third with card."""
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in range(300)]})
    lines["client"] = [f"c{n % 120}" for n in range(300)]
    lines["card"] = [f"c{n % 120}" if n % 3 == 0 else None for n in range(300)]
    lines["sold_at"] = [f"{2023 + n % 2}-{n % 12 + 1:02d}-15 10:00:00" for n in range(300)]
    lines["article"] = "a1"
    lines["pieces"] = 1
    lines["total"] = [f"{1.21 * (10 + n % 60):.4f}" for n in range(300)]
    files = {"params/corner-shop.yaml": block("params"), "plugins/baskets.py": block("plugin")}
    return make_project({**files, "data/ticket_lines.csv": lines})


def test_the_params_and_the_plugin_of_the_readme_give_a_book(shop, monkeypatch):
    """2024 has the odd n: 150 receipts over 11, 13 … 69, five times each; mean 40.
    Over 50: the odd numbers 51 to 69, ten of thirty: a third."""
    import kpibook

    monkeypatch.chdir(shop.path)
    book = kpibook.open("params/corner-shop.yaml")
    card = book.scorecard.query("segment == 'total' and period == 'current'").set_index("kpi")

    assert card.loc["avg_receipt", "value"] == pytest.approx(40, abs=1e-9)
    assert card.loc["large_receipts", "value"] == pytest.approx(1 / 3)
    assert card.loc["large_receipts", "origin"] == "plugins/baskets.py"
    assert card.loc["web_receipt", "status"] == "missing_data"
    assert "Corner Shop" in book.cover().html


def test_the_message_in_the_readme_is_the_command_s(shop):
    params = shop.path / "params" / "corner-shop.yaml"
    params.write_text(params.read_text().replace("period:", "perriod:"))
    result = shop.run("check", "params/corner-shop.yaml")

    assert result.code == 2
    assert "params/corner-shop.yaml:6: perriod: unknown key · did you mean 'period'?" in README
    assert "params/corner-shop.yaml:6: perriod: unknown key · did you mean 'period'?" in result.err


def test_the_view_of_the_plugin_readme_computes(tmp_path):
    """Two of four lines are cake; the line of 2023 is another period's."""
    from kpibook.plugins import discover
    from tiny_client import receipt, row, run, shop

    text = (ROOT / "kpi_plugins" / "README.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(@view.*?)```", text, re.DOTALL)
    hook = "\n\n@hookimpl\ndef kpibook_definitions():\n    return [dated_lines, cake_share]\n"
    (tmp_path / "cake.py").write_text("from kpibook import hookimpl, kpi, share, view\n\n\n" + source + hook)
    lines = [receipt(n, "2024-03-01", 5, f"c{n}", product_id="CAKE" if n % 2 else "BUN") for n in range(4)]
    tables = shop(*lines, receipt(9, "2023-03-01", 5, "c9", product_id="CAKE"))
    results = run(tables, "2024-01-01/2024-12-31", catalog=discover(tmp_path).catalog, data="2023-01-01/2024-12-31")

    assert (row(results, "cake_share")["value"], row(results, "cake_share")["denominator"]) == (0.5, 4)


DOCUMENTS = [ROOT / "README.md", ROOT / "kpi_plugins" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VERBS = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def commands(text: str) -> set[str]:
    """What stands after kpibook where a command is shown: in backticks, or after a prompt."""
    return set(re.findall(r"(?:`|^\$ )(?:\.venv/bin/)?kpibook ([\w-]+)", text, re.MULTILINE))


def verbs(text: str) -> set[str]:
    """Likewise after make; a line of ``make help`` is shown as well."""
    return set(re.findall(r"(?:`|^\$ |^  )make ([\w-]+)", text, re.MULTILINE))


def test_commands_and_verbs_are_found_where_they_are_shown():
    text = "Run `kpibook runn x`, or\n```\n$ kpibook chek a.yaml\n$ make demoo\n  make tset  all\n```\nor `make lnit`."
    assert commands(text) == {"runn", "chek"}
    assert verbs(text) == {"demoo", "tset", "lnit"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_and_verbs_that_a_document_names_exist(path):
    text = path.read_text(encoding="utf-8")
    assert commands(text) - set(COMMANDS) == set()
    assert verbs(text) - VERBS == set()


def test_the_readme_names_every_command_and_the_verbs_of_a_change():
    assert commands(README) == set(COMMANDS)
    assert verbs(README) >= {"demo", "test", "lint", "docs", "bench"}


def test_files_and_pictures_of_the_readme_exist():
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in t]

    assert len(targets) >= 2
    assert [t for t in targets if not (ROOT / t).exists()] == []


PLUGINS = (ROOT / "kpi_plugins" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("decorator", [kpi, view])
def test_every_keyword_is_explained(decorator):
    """Each stands as the first cell of a row, under the name of its decorator."""
    table = PLUGINS.partition(f"| `@{decorator.__name__}(…)` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)=` \|", table, re.MULTILINE) == list(inspect.signature(decorator).parameters)


def test_allowed_words_are_those_of_the_page():
    rows = {name: next(r for r in PLUGINS.splitlines() if r.startswith(f"| `{name}=`")) for name in ("unit", "better")}
    assert re.findall(r"`(\w+)`", rows["unit"]) == list(UNITS)
    assert re.findall(r"`(\w+)`", rows["better"]) == list(BETTER)


def test_the_kpi_with_an_optional_table_computes(tmp_path):
    """10 + 20 of A and 30 of B make 30 a person; both live in one household: 60. Without customers only the first."""
    code = next(b for b in re.findall(r"```python\n(.*?)```", PLUGINS, re.DOTALL) if "def spend_per_buyer" in b)
    path = tmp_path / "buyers.py"
    hook = "@hookimpl\ndef kpibook_definitions():\n    return [spend_per_buyer]\n"
    path.write_text(f"import pandas as pd\n\nfrom kpibook import hookimpl, kpi, modelled\n\n\n{code}\n\n{hook}")
    found = discover(tmp_path).catalog.definitions
    catalog = build(found[name] for name in ("receipts", "spend_per_buyer"))
    bought = shop_of(
        receipt(1, "2024-03-01", 10, "A"), receipt(2, "2024-03-02", 20, "A"), receipt(3, "2024-03-03", 30, "B")
    )
    customers = [{"customer_id": name, "household_id": "home"} for name in "AB"]
    for tables, homes in ((bought | {"customers": customers}, [60.0]), (bought, [])):
        card = run(tables, "2024-01-01/2024-12-31", catalog=catalog).scorecard
        own = card[card.kpi == "spend_per_buyer"]
        assert own[own.segment == "total"]["value"].tolist() == [30.0]
        assert own[own.segment == "per_household"]["value"].tolist() == homes
