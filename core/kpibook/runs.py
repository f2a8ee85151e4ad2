"""The record of a run: what happened, written by the supervisor and never by the notebook.

``run.json`` stands in the staging folder from the first moment. Its states:

running ─┬─> valid         the report was made and reproduces
         ├─> not_valid     the report was made and does not hold
         ├─> unproved      the report was made, and computed once only
         ├─> failed        no report; ``failure`` says which step and why
         └─> interrupted   the command was stopped or killed
"""

from __future__ import annotations

import json
import os
import platform
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem, RunError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "run.json"
STAGING = ".staging"
UNPROVED = "unproved"
VALID = "valid"
FINISHED = (VALID, "not_valid", UNPROVED)


@dataclass
class RunRecord:
    """One run. Times are UTC in ISO 8601, ``steps`` seconds, ``files`` relative paths with sha256 and bytes.

    ``as_of`` is the day on which a moving period was read, ``due`` the moment for which a scheduled run stands,
    ``pool`` whether the client lets its figures into averages over clients.
    """

    run_id: str
    client: str
    period: str
    as_of: str = ""
    due: str = ""
    title: str = ""
    language: str = "en"
    state: str = "running"
    started: str = ""
    finished: str | None = None
    host: str = ""
    pid: int = 0
    pid_started: float = 0.0
    params: str = ""
    params_sha256: str = ""
    notebook: str = ""
    notebook_sha256: str = ""
    slides_template: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)
    broken_packs: list[str] = field(default_factory=list)
    failed_kpis: list[str] = field(default_factory=list)
    draft: bool = False
    pool: bool = False
    cache: dict[str, Any] | None = None
    steps: dict[str, float] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    validation: dict[str, Any] | None = None
    leak_scan: dict[str, Any] | None = None
    failure: dict[str, str] | None = None

    def write(self, folder: Path) -> None:
        """Put ``run.json`` into ``folder``, whole or not at all."""
        path = folder / NAME
        part = folder / f".{NAME}.{secrets.token_hex(4)}"
        try:
            with part.open("w", encoding="utf-8") as handle:
                handle.write(self.text())
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def text(self) -> str:
        """The record as the JSON that is written."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def end(self, state: str, step: str = "", message: str = "") -> None:
        """Leave the state ``running``; a step and a message say what went wrong.

        A clock that was put back meanwhile does not let a run end before it started.
        """
        self.state = state
        self.finished = max(now(), self.started)
        if step:
            self.failure = {"step": step, "message": message}


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(client: str, period: str) -> RunRecord:
    """A new record of a run by this process."""
    import psutil

    return RunRecord(
        run_id=secrets.token_hex(4),
        client=client,
        period=period,
        started=now(),
        host=platform.node(),
        pid=os.getpid(),
        pid_started=psutil.Process().create_time(),
    )


def read(folder: Path) -> RunRecord:
    """The record in ``folder``; RunError when there is none or it is not one."""
    path = folder / NAME
    remedy = "name the folder of a report, which holds a run.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(Problem(str(path), "there is no such file", remedy)) from None
    except OSError as error:
        raise RunError(Problem(str(path), f"cannot be read ({error.strerror})", remedy)) from None
    except ValueError as error:
        raise RunError(Problem(str(path), f"is not JSON ({error})", remedy)) from None
    if not isinstance(raw, dict) or not raw.keys() >= {"run_id", "client", "period"}:
        raise RunError(Problem(str(path), "is not the record of a run", remedy))
    known = {f.name: f.type for f in fields(RunRecord) if f.name in raw}
    odd = [name for name, kind in known.items() if kind == "str" and not isinstance(raw[name], str)]
    if odd:
        raise RunError(Problem(str(path), f"is not the record of a run ({', '.join(odd)})", remedy))
    return RunRecord(**{name: raw[name] for name in known})
