"""The part of a params file that says in which other forms the report is handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from kpibook.errors import Problem, did_you_mean
from kpibook.params_fields import refusal
from kpibook.params_tables import Frozen
from kpibook.yaml_lines import Document

Form = Literal["pdf", "pptx", "summary", "xlsx"]
FORMS: tuple[Form, ...] = get_args(Form)


def _known(value: Any) -> Any:
    for form in value if isinstance(value, list) else ():
        if form not in FORMS:
            raise refusal(f"'{form}' is no form of a report", did_you_mean(str(form), FORMS))
    return value


class Exports(Frozen):
    """Which forms a run makes, and how."""

    to: Annotated[tuple[Form, ...], BeforeValidator(_known)] = Field(
        default=(), description="other forms of the report, made by the run", examples=[["pdf", "pptx"]]
    )
    template: Path | None = Field(
        default=None,
        description="a presentation of the client's own for the slides, from the params file",
        examples=["../brand.pptx"],
    )


def _keys(value: Any) -> Any:
    """``[pdf, xlsx]`` as ``{to: [pdf, xlsx]}``."""
    return {"to": _known(value)} if isinstance(value, list) else value


#: As the file has it: a list of forms, or keys.
Handed = Annotated[
    Exports | tuple[Form, ...],
    BeforeValidator(_keys),
    Field(
        description="other forms of the report, made by the run: a list of them, or keys, below",
        examples=[["pdf", "pptx", "xlsx", "summary"]],
    ),
]


def template(document: Document, base: Path) -> Iterator[Problem]:
    """The presentation that the slides are to look like is there."""
    asked = document.data.get("exports")
    name = asked.get("template") if isinstance(asked, dict) else None
    if isinstance(name, str) and not (base / name).is_file():
        what, remedy = f"there is no file '{name}'", "give a path relative to the params file, or take the key away"
        yield document.problem(("exports", "template"), what, remedy)


def resolved(exports: Exports, base: Path) -> Exports:
    """With the template's path from ``base``."""
    if exports.template is None:
        return exports
    return exports.model_copy(update={"template": (base / exports.template).resolve()})
