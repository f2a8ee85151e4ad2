"""What is settled between a mapping and its table: rows with one key, answers outside their scale, what to tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpibook.intake import sql, values
from kpibook.intake.notes import Note
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.backends.duckdb import Backend

    from kpibook.intake.facts import Finding
    from kpibook.intake.files import SourceFile
    from kpibook.intake.mapped import Mapped
    from kpibook.params import Params

_SHOWN = 5
#: Questions whose scale has whole numbers only.
_WHOLE = ("NPS", "ENPS")


def told(sources: Mapping[str, Mapping[str, SourceFile]], mapped: Mapping[str, Mapped]) -> Iterator[Finding]:
    """What reading the files and typing their columns assumed; a file that several tables read is told once."""
    seen: set[int] = set()
    for table, opened in sources.items():
        for file in opened.values():
            for note in file.notes:
                if id(note) not in seen:
                    seen.add(id(note))
                    yield note.finding(table)
        for note in mapped[table].notes:
            yield note.finding(table)


def without_duplicates(con: Backend, params: Params, mapped: Mapped) -> tuple[Mapped, list[Note]]:
    """Of rows that share a key, the first or the last, where params say which."""
    which = params.tables[mapped.table].duplicates
    keys = [c for c in TABLES[mapped.table].key if c in mapped.columns]
    if which is None or not keys:
        return mapped, []
    listed = ", ".join(sql.name(c) for c in keys)
    empty = " OR ".join(f"{sql.name(c)} IS NULL" for c in keys)
    order = "DESC" if which == "last" else "ASC"
    numbered = f"row_number() OVER (PARTITION BY {listed} ORDER BY {sql.ROW} {order})"
    ranked = f"SELECT *, CASE WHEN {empty} THEN 1 ELSE {numbered} END AS __rank FROM ({mapped.select})"
    gone = "FILTER (__rank > 1)"
    query = f"SELECT count(*) {gone}, min({sql.ROW}, {_SHOWN}) {gone}, count(*) FROM ({ranked})"
    count, examples, total = values.run(con, query, mapped.table)[0]
    if not count:
        return mapped, []
    chosen = f"SELECT {_listed(mapped)} FROM ({ranked}) WHERE __rank = 1 ORDER BY {sql.ROW}"
    note = Note(f"duplicates_{which}", "amber", "+".join(keys), count, total, examples=tuple(examples))
    return replace(mapped, select=chosen), [note]


def answers_within_scale(con: Backend, params: Params, mapped: Mapped) -> tuple[Mapped, list[Note]]:
    """Answers that their scale does not have are no answers: never moved to the nearest that it has."""
    del params
    if mapped.table != "survey_responses" or not {"score", "scale_min", "scale_max"} <= set(mapped.columns):
        return mapped, []
    bad = "(score < scale_min OR score > scale_max)"
    if "question_code" in mapped.columns:
        whole = ", ".join(map(sql.text, _WHOLE))
        bad = f"({bad} OR (question_code IN ({whole}) AND score <> floor(score)))"
    answered = {"score": f"CASE WHEN {bad} THEN NULL ELSE score END AS score"}
    select = f"SELECT {_listed(mapped, answered)} FROM ({mapped.select})"
    found = values.run(
        con,
        f"SELECT CAST(scale_min AS VARCHAR) || '-' || CAST(scale_max AS VARCHAR), count(*), min({sql.ROW}, {_SHOWN}), "
        f"list(DISTINCT rtrim(rtrim(CAST(score AS VARCHAR), '0'), '.')) FROM ({mapped.select}) WHERE {bad} "
        "GROUP BY 1 ORDER BY 1",
        mapped.table,
    )
    total = values.run(con, f"SELECT count(score) FROM ({mapped.select})", mapped.table)[0][0] if found else 0
    notes = []
    for scale, count, examples, scores in found:
        shown = ", ".join(sorted(scores, key=float)[:_SHOWN])
        details: dict[str, str | int | float] = {"scale": scale, "scores": shown}
        notes.append(Note("outside_scale", "amber", "score", count, total, details, tuple(examples)))
    return replace(mapped, select=select), notes


def _listed(mapped: Mapped, instead: Mapping[str, str] | None = None) -> str:
    """The row's number and every column of a mapped table, some said otherwise."""
    made = instead or {}
    return ", ".join([sql.ROW, *(made.get(c, sql.name(c)) for c in mapped.columns)])
