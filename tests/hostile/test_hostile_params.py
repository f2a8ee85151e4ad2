"""Hostile params: texts that steer, names that lead elsewhere, numbers and aliases that explode."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

import attacks
from kpibook import params
from kpibook.definition import kpi
from kpibook.errors import ParamsError, PluginError
from kpibook.estimates import total

if TYPE_CHECKING:
    from pathlib import Path

PARAMS = {
    "client": "shop",
    "title": "Shop",
    "language": "en",
    "currency": "EUR",
    "timezone": "Europe/Rome",
    "period": "2017-07-01/2017-12-31",
    "source": "data",
    "tables": {"order_lines": {"from": "lines.csv", "columns": {"transaction_id": "a", "ts": "b"}}},
}


def refused(folder: Path, text: str) -> list[str]:
    (folder / "p.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ParamsError) as caught:
        params.load(folder / "p.yaml")
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("written", "sign"),
    [
        ('"a\\x1b[2Jb"', "U+001B"),
        ('"a\\0b"', "U+0000"),
        ('"a\\rb"', "U+000D"),
        ('"a\\u202eb"', "U+202E"),
        ('"a\\u2066b"', "U+2066"),
        ('"a\\x9bb"', "U+009B"),
        ('"a\\ud800b"', "U+D800"),
    ],
)
def test_a_character_that_no_text_holds_is_refused(tmp_path: Path, written: str, sign: str) -> None:
    text = json.dumps(PARAMS, indent=1).replace('"Shop"', written)
    assert refused(tmp_path, text) == [
        f"p.yaml:3: title: it holds the character {sign}, which no text holds · take it out"
    ]
    said = refused(tmp_path, text.replace(written, '"Shop"').replace('"title"', written))
    assert f"p.yaml:3: a key holds the character {sign} · take it out" in said


@pytest.mark.parametrize("text", [text for text in attacks.PATHS if text != "x" * 300])
def test_no_client_is_called_like_a_path(tmp_path: Path, text: str) -> None:
    (said,) = refused(tmp_path, json.dumps({**PARAMS, "client": text}, indent=1))
    assert said == f"p.yaml:2: client: '{text}' does not fit · use small letters, digits and single hyphens"


@pytest.mark.parametrize(
    "text", [f"{path}/lines.csv" for path in ("..", "a/../..", "/etc", "~root", "..\\..", "C:\\x")]
)
def test_no_file_outside_of_the_source_is_named(tmp_path: Path, text: str) -> None:
    tables = {"order_lines": {"from": text, "columns": {"transaction_id": "a", "ts": "b"}}}
    (said,) = refused(tmp_path, json.dumps({**PARAMS, "tables": tables}, indent=1))
    assert said == (
        f"p.yaml:11: tables.order_lines.from: '{text}' leaves the source folder · name a file inside the source folder"
    )


def test_a_long_text_is_not_repeated(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, json.dumps({**PARAMS, "client": "x" * 300}, indent=1))
    assert said == f"p.yaml:2: client: '{'x' * 59}…': string should have at most 60 characters · correct the value"


@pytest.mark.parametrize("number", ["9" * 100_000, "0x" + "f" * 100_000, "1_" * 50_000 + "1"])
def test_a_number_that_explodes_is_no_number(tmp_path: Path, number: str) -> None:
    text = json.dumps({**PARAMS, "limits": {"minutes": 0}}, indent=1).replace('"minutes": 0', f'"minutes": {number}')
    assert refused(tmp_path, text)[0] == (
        f"p.yaml:19: limits.minutes: {number[:59]}… is not a number · check it, or put it in quotes if it is text"
    )


def test_aliases_that_explode_are_counted_and_not_written_out(tmp_path: Path) -> None:
    """Nine levels of nine: 387 million values in half a kilobyte."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    began = time.monotonic()
    assert refused(tmp_path, "\n".join(levels)) == [
        "p.yaml: more than 20000 values, aliases counted where they are used · write the values out, without aliases"
    ]
    assert time.monotonic() - began < 20


def test_an_alias_of_itself_ends(tmp_path: Path) -> None:
    assert refused(tmp_path, "a: &a [*a]") == ["p.yaml: not YAML: nested too deeply · write a flatter file"]


def test_a_file_that_is_no_params_file_is_not_read(tmp_path: Path) -> None:
    assert refused(tmp_path, "a" * 1_000_001) == [
        "p.yaml: 1000001 bytes, at most 1000000 are read · give a params file"
    ]


def test_no_kpi_is_called_like_a_path() -> None:
    def stray(receipts):
        """Stray: net sales."""
        return total(receipts.net_amount)

    stray.__name__ = "../../stray"
    with pytest.raises(PluginError) as caught:
        kpi(unit="money", better="neutral")(stray)
    line = stray.__code__.co_firstlineno
    assert str(caught.value) == (
        f"test_hostile_params.py:{line}: ../../stray: its name is not a plain one · "
        "call the function by letters, digits and _"
    )
