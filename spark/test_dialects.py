"""Every KPI's statements in the languages of engines that are not here; docs/engines.md lists those that have none."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot

from dialects import DIALECTS, KNOWN, failing
from engines_page import KPIS
from kpibook import params
from kpibook.plugins import discover

CLIENT = Path(__file__).parents[1] / "params" / "marea.yaml"


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_kpi_can_be_written_but_those_that_are_named(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By total: views, figures and rows of KPIs in pandas, some 340 statements."""
    client = params.load(CLIENT).model_copy(update={"breakdowns": ()})

    failed, unasked = failing(monkeypatch, discover().catalog, client, DIALECTS[engine])

    assert len(discover().catalog.kpis) == KPIS
    assert len(unasked.statements) > 300
    assert failed == set(KNOWN[engine])
    assert bool(unasked.problems) == bool(KNOWN[engine])


def test_a_statement_that_cannot_be_read_is_found() -> None:
    """What the test rests on: sqlglot refuses what is no statement."""
    with pytest.raises(sqlglot.errors.ParseError):
        sqlglot.parse_one("SELECT a FROM t WHERE", dialect="trino", error_level=sqlglot.errors.ErrorLevel.RAISE)
