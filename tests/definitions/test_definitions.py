"""Every reference answer, reached by the params file, settings and figure that docs/definitions.md names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from definitions import Reference, expected, names, of_source, references
from definitions.engine import found
from definitions.page import PAGE, text
from definitions.reference import servqual, touchpoint_paths

MAPPED = [r for r in references() if not r.none]


@pytest.mark.parametrize("reference", MAPPED, ids=[f"{r.source}: {r.id}" for r in MAPPED])
def test_kpibook_says_what_the_reference_says(reference: Reference) -> None:
    said, wanted = found(reference), expected(reference)
    if isinstance(wanted, Mapping):
        assert isinstance(said, Mapping)
        assert wanted
        missing = [segment for segment in wanted if segment not in said]
        assert missing == [], f"there are {[*said]}"
        further = [] if reference.origin.get("partial") else [segment for segment in said if segment not in wanted]
        assert further == []
        wrong = {s: (said[s], value) for s, value in wanted.items() if not _same(said[s], value, reference)}
        assert wrong == {}
    else:
        assert _same(said, wanted, reference), f"{said} is not {wanted}"


@pytest.mark.parametrize("source", names())
def test_no_reference_is_missing(source: str) -> None:
    """A list or a table in the reference may be several: ``by_month.2025-01``."""
    known = [r.id for r in of_source(source)]
    assert [n for n in names()[source] if not any(k == n or k.startswith(f"{n}.") for k in known)] == []
    assert [k for k in known if not any(k == n or k.startswith(f"{n}.") for n in names()[source])] == []
    assert len(known) == len(set(known))


@pytest.mark.parametrize("source", names())
def test_what_has_no_figure_has_a_reason(source: str) -> None:
    assert [r.id for r in of_source(source) if r.none and len(r.none.split()) < 4] == []


def test_the_page_is_up_to_date() -> None:
    assert Path(PAGE).read_text(encoding="utf-8") == text(), "make docs renews docs/definitions.md"


def test_servqual_answers_are_servqual_csv_turned_over() -> None:
    pd.testing.assert_frame_equal(pd.read_csv(servqual.DATA / "servqual_answers.csv", dtype=str), servqual.answers())


def test_the_journeys_are_the_sample_of_paths_written_out(tmp_path: Path) -> None:
    for name, made in (
        ("touchpoint_paths.csv", touchpoint_paths.sample()),
        ("touchpoint_journeys.csv", touchpoint_paths.journeys(touchpoint_paths.sample())),
    ):
        made.to_csv(tmp_path / name, index=False)
        assert (tmp_path / name).read_text() == (touchpoint_paths.DATA / name).read_text()


def _same(said: Any, wanted: Any, reference: Reference) -> bool:
    if wanted is None or isinstance(wanted, str) or said is None or isinstance(said, str):
        return said == wanted
    return abs(said - float(wanted)) <= reference.tolerance + max(reference.relative, 1e-12) * abs(float(wanted))
