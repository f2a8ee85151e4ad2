"""The first difference between two outputs, so short that it can be read in a terminal."""

from __future__ import annotations

import nbformat
import pytest

from kpibook.report.again import difference, texts


@pytest.mark.parametrize(
    ("stored", "again", "said"),
    [
        ("0.3", "0.30000000000000004", "'0.3', computed again '0.30000000000000004'"),
        ("<td>1,234.50</td><td>7</td>", "<td>1,234.51</td><td>8</td>", "'1,234.50', computed again '1,234.51'"),
        ('<g fill="a"></g>', '<g fill="b"></g>', "'<g fill=\"a\">', computed again '<g fill=\"b\">'"),
        ("a b", "a b c", "'', computed again 'c'"),
        ("a  b", "a b", "other white space"),
        ("x" * 100 + "1", "x" * 100 + "2", f"'{'x' * 30}1', computed again '{'x' * 30}2'"),
    ],
)
def test_the_first_word_or_tag_that_differs_is_named(stored: str, again: str, said: str) -> None:
    assert difference(stored, again) == said


def test_all_that_is_compared_of_a_cell_is_one_text() -> None:
    shown = nbformat.v4.new_output("display_data", {"text/plain": "b", "text/html": "<p>a</p>"})
    printed = nbformat.v4.new_output("stream", text="c")
    assert texts([shown, printed]) == "<p>a</p>\nb\nc"
