"""YAML text -> a tree of nodes; what is wrong with the text is said with its line.

The tree is built from the events of the YAML library's parser. Where an alias is used, the node
is shared by reference, so a document of nested aliases costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cogworks.project.errors import Problem, quote
from cogworks.project.nodes import ListNode, MapNode, Node, ScalarNode
from cogworks.project.simple_yaml import NotSimple, read_simple

MAX_DOCUMENT_CHARS = 256 * 1024
"""Far above any real configuration (a few KiB); the parser reads about 1 MiB a second."""
MAX_DEPTH = 100
"""Lists and mappings in one another; the parser's time grows with the square of it."""
MAX_MERGED_ENTRIES = 10_000
"""Limit of entries that merge keys (``<<: *name``) may copy in one document."""

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "timestamp"))


class DocumentError(Exception):
    """The text is not YAML that we can read; ``problem`` says where and why."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the single problem that stopped the reader."""
        self.problem = Problem(line, "", message)
        super().__init__(message)


def read_document(text: str) -> tuple[Node | None, list[Problem]]:
    """Return the tree (None for an empty document) and the duplicate keys found in it.

    Raises:
        DocumentError: the text is not a single YAML document.
    """
    if len(text) > MAX_DOCUMENT_CHARS:
        size = f"{len(text)} characters long; the limit is {MAX_DOCUMENT_CHARS}"
        raise DocumentError(1, f"the file is {size}")
    try:
        return read_simple(text), []
    except NotSimple:
        return read_any(text)


def read_any(text: str) -> tuple[Node | None, list[Problem]]:
    """Read the text with the YAML library; arguments and errors as ``read_document``."""
    builder = _Builder()
    for event in _events(text):
        builder.feed(event)
    return builder.root, builder.problems


def _events(text: str) -> Iterator[Any]:
    """Yield the events of ``text``; the library's errors become ``DocumentError``."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    # The library types little of what it returns.
    parser: Any = YAML(typ="safe", pure=True)
    try:
        yield from parser.parse(text)
    except YAMLError as error:
        raise _translate(error, text) from error


def _translate(error: Any, text: str) -> DocumentError:
    """Return the line and the reason of an error of the YAML library."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark is not None else 1
    lines = text.splitlines()
    source = lines[line - 1] if line <= len(lines) else ""
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return DocumentError(line, "the line is indented with a tab; use spaces")
    parts = [getattr(error, name, None) for name in ("problem", "context")]
    reason = ", ".join(part for part in parts if part) or " ".join(str(error).split())
    return DocumentError(line, f"this is not valid YAML: {reason}")


class _Builder:
    """Builds the tree from events; ``_open`` is the path from the root to the current place."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._documents = 0
        self._merged = 0
        self._open: list[_OpenNode] = []
        self._anchors: dict[str, Node | None] = {}

    def feed(self, event: Any) -> None:
        """Take one event of the parser."""
        kind = type(event).__name__
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if kind == "ScalarEvent":
            self._add(_scalar(event, line), event.anchor)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._open) >= MAX_DEPTH:
                raise DocumentError(line, f"more than {MAX_DEPTH} levels lie in one another")
            if event.anchor:
                self._anchors[event.anchor] = None
            self._open.append(_OpenNode(kind == "MappingStartEvent", line, event.anchor))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            opened = self._open.pop()
            self._add(self._close(opened), opened.anchor)
        elif kind == "AliasEvent":
            self._add(self._aliased(event.anchor, line), None)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise DocumentError(line, "there is a second YAML document; one file holds one")

    def _aliased(self, anchor: str, line: int) -> Node:
        if anchor not in self._anchors:
            raise DocumentError(line, f"the alias *{anchor} is not defined before this line")
        node = self._anchors[anchor]
        if node is None:
            raise DocumentError(line, f"the alias *{anchor} contains itself")
        return node

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _close(self, opened: _OpenNode) -> Node:
        if not opened.is_mapping:
            return ListNode(tuple(opened.children), opened.line)
        entries: dict[str, tuple[str, int, Node]] = {}
        merged: dict[str, tuple[str, int, Node]] = {}
        for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                raise DocumentError(key.line, "a key must be text, not a list or a mapping")
            if key.plain and key.text == "<<":
                merged.update(self._merge(value, key.line))
            elif key.text in entries:
                first = entries[key.text][1]
                message = f"this key is given twice; the first is in line {first}"
                self.problems.append(Problem(key.line, key.text, message))
            else:
                entries[key.text] = (key.text, key.line, _beside(value, key.line))
        return MapNode(tuple((merged | entries).values()), opened.line)

    def _merge(self, value: Node, line: int) -> dict[str, tuple[str, int, Node]]:
        sources = value.items if isinstance(value, ListNode) else (value,)
        merged: dict[str, tuple[str, int, Node]] = {}
        for source in reversed(sources):
            if not isinstance(source, MapNode):
                raise DocumentError(line, "<< must be followed by a mapping")
            self._merged += len(source.entries)
            if self._merged > MAX_MERGED_ENTRIES:
                raise DocumentError(line, f"<< copies more than {MAX_MERGED_ENTRIES} entries")
            merged.update((entry[0], entry) for entry in source.entries)
        return merged


@dataclass(slots=True)
class _OpenNode:
    """A list or mapping whose end has not been seen yet."""

    is_mapping: bool
    line: int
    anchor: str | None
    children: list[Node] = field(default_factory=list["Node"])


def _beside(value: Node, line: int) -> Node:
    """Give a value that is not there the line of its key; the parser has it where it noticed."""
    if isinstance(value, ScalarNode) and value.plain and not value.text:
        return ScalarNode("", True, line)
    return value


def _scalar(event: Any, line: int) -> ScalarNode:
    tag = str(event.tag) if event.tag else ""
    if not tag:
        return ScalarNode(event.value, bool(event.implicit[0]), line)
    if tag == _TAG + "str" or tag == "!":
        return ScalarNode(event.value, False, line)
    if tag in _PLAIN_TAGS:
        return ScalarNode(event.value, True, line)
    raise DocumentError(line, f"the tag {quote(tag)} has no meaning here")
