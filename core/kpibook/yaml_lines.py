"""YAML as plain values, with the line every key stands on.

YAML 1.2: ``NO`` is text. Duplicate keys, tags, merge keys and aliases that multiply
are refused, because a params file is read by people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.unspoken import UNSPOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_BYTES = 1_000_000
MOST_VALUES = 20_000
DEEPEST = 20
LONGEST_SHOWN = 60
_PREFIX = "tag:yaml.org,2002:"
_QUOTES = "mend this line; text that holds ': ' or '#' needs quotes"

Key = str | int


@dataclass(frozen=True)
class Document:
    """``data`` is the mapping; ``lines`` maps a path of keys to its line, counted from 1.

    ``problems`` are those that leave the rest readable: a key written twice, a value that is no date.
    """

    shown: str
    data: dict[str, Any]
    content: bytes
    lines: dict[tuple[Key, ...], int] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def where(self, *keys: Key) -> str:
        """``file:line`` of a key, or of the nearest key above it."""
        return f"{self.shown}:{self.line(*keys)}"

    def line(self, *keys: Key) -> int:
        for size in range(len(keys), 0, -1):
            if keys[:size] in self.lines:
                return self.lines[keys[:size]]
        return 1

    def problem(self, place: tuple[Key, ...], what: str, remedy: str) -> Problem:
        """A problem at a path of keys: ``file:line: a.b.c``."""
        return Problem(f"{self.where(*place)}: {dotted(place)}", what, remedy)


def read(path: Path, shown: str) -> Document:
    """The document at ``path``, called ``shown`` in messages. Raises ParamsError when nothing can be read."""
    content = _content(path, shown)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ParamsError(Problem(f"{shown}:{line}", "not UTF-8 text", "save the file as UTF-8")) from error
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 1
        raise ParamsError(Problem(f"{shown}:{line}", f"not YAML: {_problem(error)}", _QUOTES)) from error
    except YAMLError as error:
        raise ParamsError(
            Problem(shown, "not YAML: a character that no text holds", "save it as plain text")
        ) from error
    except RecursionError as error:
        raise ParamsError(Problem(shown, "not YAML: nested too deeply", "write a flatter file")) from error
    if root is None:
        raise ParamsError(Problem(shown, "the file is empty", "start from params/complete_journey.yaml"))
    if not isinstance(root, MappingNode):
        raise ParamsError(Problem(f"{shown}:1", "expected keys and values", "write lines such as 'client: my-client'"))
    reader = _Reader(shown)
    data = reader.value(root, ())
    return Document(shown, data, content, reader.lines, tuple(reader.problems))


def _content(path: Path, shown: str) -> bytes:
    if path.is_dir():
        raise ParamsError(Problem(shown, "this is a folder", "give the path of one params file"))
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ParamsError(Problem(shown, f"{size} bytes, at most {LARGEST_BYTES} are read", "give a params file"))
        return path.read_bytes()
    except FileNotFoundError as error:
        names = [p.name for p in path.parent.glob("*.y*ml")]
        remedy = did_you_mean(path.name, names) if names else "give the path of a params file"
        raise ParamsError(Problem(shown, "no such file", remedy)) from error
    except OSError as error:
        raise ParamsError(Problem(shown, f"cannot be read: {error.strerror}", "check its permissions")) from error


def _problem(error: MarkedYAMLError) -> str:
    return " ".join(str(part) for part in (error.context, error.problem) if part)


class _Reader:
    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.problems: list[Problem] = []
        self.lines: dict[tuple[Key, ...], int] = {}
        self.count = 0

    def value(self, node: Node, path: tuple[Key, ...]) -> Any:
        self.count += 1
        if self.count > MOST_VALUES:
            what = f"more than {MOST_VALUES} values, aliases counted where they are used"
            raise ParamsError(Problem(self.shown, what, "write the values out, without aliases"))
        if len(path) > DEEPEST:
            raise ParamsError(Problem(self.shown, "not YAML: nested too deeply", "write a flatter file"))
        if isinstance(node, MappingNode):
            return dict(self.pairs(node, path))
        if isinstance(node, SequenceNode):
            return [self.item(child, (*path, i)) for i, child in enumerate(node.value)]
        return self.scalar(node, path)

    def item(self, node: Node, path: tuple[Key, ...]) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def pairs(self, node: MappingNode, path: tuple[Key, ...]) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or not str(key.tag).endswith(":str"):
                self.refuse(line, path, f"the key {_text(key)} is not text", "write a word, in quotes if need be")
                continue
            name = key.value
            if UNSPOKEN.search(name):
                self.refuse(line, path, f"a key holds the character {_sign(name)}", "take it out")
                continue
            if name in seen:
                self.refuse(line, (*path, name), f"written twice, first on line {seen[name]}", "keep one of the two")
                continue
            seen[name] = line
            self.lines[(*path, name)] = line
            yield name, self.value(child, (*path, name))

    def scalar(self, node: Node, path: tuple[Key, ...]) -> Any:
        kind = str(node.tag).removeprefix(_PREFIX)
        if UNSPOKEN.search(node.value):
            what = f"it holds the character {_sign(node.value)}, which no text holds"
            self.refuse(node.start_mark.line + 1, path, what, "take it out")
            return None
        try:
            return _SCALARS[kind](node.value)  # type: ignore[operator]
        except KeyError:
            self.refuse(node.start_mark.line + 1, path, f"the tag {node.tag} is not read", "take the tag away")
        except ValueError:
            what = f"{_short(node.value)} is not a {_KIND_NAMES.get(kind, 'number')}"
            self.refuse(node.start_mark.line + 1, path, what, "check it, or put it in quotes if it is text")
        return None

    def refuse(self, line: int, path: tuple[Key, ...], what: str, remedy: str) -> None:
        where = f"{self.shown}:{line}" + (f": {dotted(path)}" if path else "")
        self.problems.append(Problem(where, what, remedy))


def dotted(path: tuple[Key, ...]) -> str:
    """``targets[0].value`` for ("targets", 0, "value")."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else (f".{key}" if text else key)
    return text


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else "of several values"


def _sign(text: str) -> str:
    found = UNSPOKEN.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    if len(plain) > LONGEST_SHOWN:
        raise ValueError
    return int(plain, 0) if plain.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else int(plain)


def _moment(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) <= len("2017-01-01") else datetime.fromisoformat(text)


_SCALARS = {
    "str": str,
    "int": _integer,
    "float": lambda text: float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan")),
    "bool": lambda text: text.lower() == "true",
    "null": lambda _: None,
    "timestamp": _moment,
}
_KIND_NAMES = {"timestamp": "date"}
