"""docs/engines.md is what its module writes; its statements are compiled by `make spark`."""

from __future__ import annotations

from engines_page import PAGE, text


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()
