"""The parts of a params file that set bounds: what a run may use, and who is told of its figures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from kpibook.params_fields import Text, refusal
from kpibook.params_tables import Frozen
from kpibook.rules import PRIVACY_MINIMUM


class Privacy(Frozen):
    """No figure rests on fewer than ``min_persons``; fewer than ten need a ``note``, which the report prints."""

    min_persons: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(
        default=PRIVACY_MINIMUM, description="no figure rests on fewer persons", examples=[20]
    )
    note: Text | None = Field(
        default=None,
        description="why figures on fewer than ten persons may be shown; the report prints it",
        examples=["All persons agreed in writing."],
    )
    pool: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="whether averages over five clients and more may hold this one's figures: kpibook portfolio --pool",
        examples=[True],
    )

    @model_validator(mode="after")
    def _noted(self) -> Privacy:
        if self.min_persons < PRIVACY_MINIMUM and self.note is None:
            what = f"figures on fewer than {PRIVACY_MINIMUM} persons would be shown, and nothing says why they may be"
            raise refusal(what, f"write min_persons: {PRIVACY_MINIMUM} or more, or give the reason in note:")
        return self


class Limits(Frozen):
    """What a run may use."""

    memory: Annotated[str, Field(pattern=r"^[1-9]\d*\s?(MB|GB|TB)$")] = Field(
        default="4GB", description="of DuckDB, which beyond it works on disk", examples=["8GB"]
    )
    threads: Annotated[int, Field(strict=True, ge=1, le=256)] = Field(
        default=2, description="queries that DuckDB works on at once", examples=[4]
    )
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] = Field(
        default=30, description="a run that takes longer is stopped, and failed", examples=[60]
    )
    statement_seconds: Annotated[int, Field(strict=True, ge=1, le=86400)] = Field(
        default=300, description="how long a client's database may take for one answer", examples=[600]
    )
    cache: Annotated[str, Field(pattern=r"^(none|[1-9]\d*\s?(MB|GB|TB))$")] = Field(
        default="2GB",
        description="how much disk tables and figures may take that are kept for the client's next run; or none",
        examples=["none"],
    )
