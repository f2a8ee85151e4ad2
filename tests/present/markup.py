"""Tables read back from their HTML."""

from __future__ import annotations

import re


def rows(html: str) -> dict[str, list[str]]:
    """Text of a table's cells by the text of the row's first cell."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL):
        cells = re.findall(r"<(t[hd])[^>]*>(.*?)</\1>", row, re.DOTALL)
        texts = [re.sub(r"<[^>]+>", "|", text).replace("\u00a0", " ") for _, text in cells]
        found[texts[0]] = [re.sub(r"\|+", "|", t).strip("|") for t in texts[1:]]
    return found
