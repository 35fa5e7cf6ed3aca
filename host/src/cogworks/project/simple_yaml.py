"""Read the YAML that nearly every ``cog.yaml`` is written in, without importing a YAML library.

The library takes longer to import than the rest of ``cog run`` before the model starts, and most
files need little of it: block mappings and lists, and scalars on one line. This reader knows just
that. Whatever it does not know for certain it leaves alone: ``NotSimple`` means that the library
has to read the text, which also words all errors. A test compares the two on generated documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cogworks.project.nodes import ListNode, MapNode, Node, ScalarNode

MAX_DEPTH = 20

_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?:[ ]+(.*))?")
_QUOTED = re.compile(r""""([^"\\]*)"|'([^']*)'""")
_PLAIN_START = re.compile(r"[A-Za-z0-9_./~$(=+^;]")
_COMMENT = re.compile(r"[ ]+#.*")


class NotSimple(Exception):
    """The text needs the real parser."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is neither blank nor a comment, its indentation taken off."""

    number: int
    indent: int
    text: str


def read_simple(text: str) -> Node | None:
    """Return the tree of a simple document, None for an empty one.

    Raises:
        NotSimple: something in it is beyond this reader, or wrong.
    """
    lines = [line for number, raw in enumerate(text.split("\n"), 1) for line in _line(number, raw)]
    if not lines:
        return None
    reader = _Reader(lines)
    if lines[0].indent or lines[0].text.startswith("-"):
        raise NotSimple
    root = reader.mapping(0, 0)
    if reader.current() is not None:
        raise NotSimple
    return root


def _line(number: int, raw: str) -> list[_Line]:
    """Return the line, or nothing for a blank line or a comment."""
    raw = raw.removesuffix("\r")
    if not raw.isprintable():
        raise NotSimple
    text = raw.strip(" ")
    if not text or text.startswith("#"):
        return []
    return [_Line(number, len(raw) - len(raw.lstrip(" ")), text)]


class _Reader:
    """Goes through the lines once; each method leaves off at the first line that is not its own."""

    def __init__(self, lines: list[_Line]) -> None:
        self._lines = lines
        self._next = 0

    def current(self) -> _Line | None:
        """Return the next line, or None at the end."""
        return self._lines[self._next] if self._next < len(self._lines) else None

    def mapping(self, indent: int, depth: int) -> MapNode:
        """Read the keys at ``indent``."""
        if depth > MAX_DEPTH:
            raise NotSimple
        first = self._lines[self._next].number
        entries: dict[str, tuple[str, int, Node]] = {}
        while (line := self.current()) is not None and line.indent >= indent:
            match = _KEY.fullmatch(line.text)
            if line.indent > indent or match is None or match[1] in entries:
                raise NotSimple
            self._next += 1
            entries[match[1]] = (match[1], line.number, self._value(match[2], line, indent, depth))
        return MapNode(tuple(entries.values()), first)

    def _value(self, text: str | None, line: _Line, indent: int, depth: int) -> Node:
        """Read what follows ``key:``: a scalar in the line, or a block below it, or nothing."""
        if text and not text.startswith("#"):
            return _scalar(text, line.number)
        below = self.current()
        if below is not None and below.text.startswith("- ") and below.indent >= indent:
            return self._list(below.indent, depth + 1)
        if below is not None and below.indent > indent:
            return self.mapping(below.indent, depth + 1)
        return ScalarNode("", True, line.number)

    def _list(self, indent: int, depth: int) -> ListNode:
        """Read the items at ``indent``."""
        if depth > MAX_DEPTH:
            raise NotSimple
        first = self._lines[self._next].number
        items: list[Node] = []
        while (line := self.current()) is not None and line.indent >= indent:
            if line.indent > indent:
                raise NotSimple
            if not line.text.startswith("- "):
                break
            text = line.text[2:].lstrip(" ")
            if _KEY.fullmatch(text):
                column = line.indent + len(line.text) - len(text)
                self._lines[self._next] = _Line(line.number, column, text)
                items.append(self.mapping(column, depth + 1))
            else:
                self._next += 1
                items.append(_scalar(text, line.number))
        return ListNode(tuple(items), first)


def _scalar(text: str, line: int) -> ScalarNode:
    quoted = _QUOTED.match(text)
    if quoted is not None:
        rest = text[quoted.end() :]
        if rest and not _COMMENT.fullmatch(rest):
            raise NotSimple
        return ScalarNode(quoted[1] if quoted[1] is not None else quoted[2], False, line)
    text = _COMMENT.sub("", text, count=1)
    if not _PLAIN_START.match(text) or ": " in text or text.endswith(":"):
        raise NotSimple
    return ScalarNode(text, True, line)
