"""The pages made of the code hold every key, view and class of files that there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import documents
from definitions import names, of_source
from kpibook.params_tables import Frozen
from kpibook.plugins import discover

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "kpi_plugins/README.md", "docs/intake.md", "docs/params.md", "docs/views.md")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_generated_passages_are_up_to_date() -> None:
    """As `make lint` holds them; the list of pages is the Makefile's."""
    cog = [sys.executable, "-m", "cogapp", "-I", "tests", "--check", *PAGES]
    done = subprocess.run(cog, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nmake docs renews them"
    assert f"\nPAGES := {' '.join(PAGES)}\n" in page("Makefile")


def test_every_key_of_a_params_file_is_on_the_page() -> None:
    """All models that a params file is made of, so that a new one is missed; each key under its model's title."""
    own = {m for m in Frozen.__subclasses__() if m.__module__.startswith("kpibook.params")}
    assert set(documents.MODELS) == own
    for model, title in documents.MODELS.items():
        section = page("docs/params.md").partition(f"### {title}\n")[2].partition("\n### ")[0]
        keys = [field.alias or name for name, field in model.model_fields.items()]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == keys


@pytest.mark.parametrize("model", documents.MODELS, ids=lambda model: model.__name__)
def test_every_key_has_words_and_examples_that_hold(model: type[Frozen]) -> None:
    schema = documents.keys(model.__name__)
    assert [name for name, field in schema.items() if not field.get("description")] == []
    examples = {name: field["examples"] for name, field in schema.items()}
    for turn in range(max(map(len, examples.values()))):
        model.model_validate({name: given[turn % len(given)] for name, given in examples.items()})


def test_settings_of_the_examples_are_of_a_kpi_and_of_a_view() -> None:
    (given,) = documents.keys("ParamsFile")["settings"]["examples"]
    catalog = discover().catalog
    catalog.resolve(given)
    assert [catalog.definitions[name].definition.kind for name in given] == ["kpi", "view"]


def test_every_view_of_the_pack_is_on_the_page() -> None:
    """With its key, its date and the type of each column: receipts, as its code has it."""
    own = [n for n, s in discover().catalog.views.items() if s.origin.startswith("kpibook ")]
    assert re.findall(r"^### `(\w+)`$", page("docs/views.md"), re.MULTILINE) == sorted(own)
    section = page("docs/views.md").partition("### `receipts`\n")[2].partition("\n### ")[0]
    assert section.startswith("\nReceipts: ")
    assert "\none row per `transaction_id`; date: `business_date`; settings `zero_is_purchase: false`. From " in section
    assert "`transaction_id` string, " in section
    assert "`net_amount` decimal" in section


def test_every_view_of_the_definitions_is_below_a_kpi() -> None:
    """docs/definitions.md sends its reader to `kpibook sql` of a KPI on the view."""
    above = documents.readers(discover().catalog.resolve())
    views = {r.origin["view"] for s in names() for r in of_source(s) if not r.none and "view" in r.origin}
    assert views
    assert [v for v in sorted(views) if not above.get(v)] == []


def test_the_readme_counts_the_kinds_of_files() -> None:
    """The rows of the table below its head: those of the manifest and the corpus's own."""
    rows = documents.files().splitlines()[2:]
    assert f"how {len(rows)} kinds of files end" in page("README.md")
