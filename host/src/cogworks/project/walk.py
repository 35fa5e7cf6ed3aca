"""Follow the table of keys through a document: checked values by path, and every problem found."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from cogworks.project.errors import Problem, quote
from cogworks.project.key import Key, Kind
from cogworks.project.keys import BY_PATH, children_of
from cogworks.project.nodes import ListNode, MapNode, Node, ScalarNode

MAX_ITEMS = 10_000
"""Limit of values in one document, aliases followed; far above any real configuration."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "yes", "on"))
_FALSE = frozenset(("false", "no", "off"))
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(slots=True)
class Values:
    """The values of a document by concrete path, such as ``build.run[0].command``.

    ``counts`` holds the length of each list; ``lines`` the line of every path that is given.
    """

    texts: dict[str, str] = field(default_factory=dict[str, str])
    flags: dict[str, bool] = field(default_factory=dict[str, bool])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])

    def list_of_texts(self, path: str) -> tuple[str, ...]:
        """Return the texts of a list of texts; items that had a problem are missing."""
        places = (f"{path}[{index}]" for index in range(self.counts.get(path, 0)))
        return tuple(self.texts[place] for place in places if place in self.texts)

    def complain(self, path: str, message: str) -> None:
        """Add a problem at the line of ``path``, or of the nearest parent that is given."""
        place = path
        while place and place not in self.lines:
            place = re.sub(r"(\.?[^.\[\]]+|\[[0-9]+\])$", "", place)
        self.problems.append(Problem(self.lines.get(place, 1), path, message))


def walk(root: Node | None) -> Values:
    """Return the values of a document; an empty document has none."""
    values = Values()
    if isinstance(root, MapNode):
        _Walk(values).mapping(root, "", "")
    elif root is not None and not _is_null(root):
        message = f"the file must be a mapping of keys to values, found {describe(root)}"
        values.problems.append(Problem(root.line, "", message))
    return values


def describe(node: Node) -> str:
    """Return what a node is, for messages: ``the number 3``, ``a list``."""
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
        case ScalarNode(text, True, _) if text in _NULLS:
            return "nothing"
        case ScalarNode(text, True, _) if text.lower() in ("true", "false"):
            return text.lower()
        case ScalarNode(text, True, _) if _NUMBER.fullmatch(text):
            return f"the number {text}" if len(text) <= 20 else "a number"
        case ScalarNode(text, _, _):
            return f"the text {quote(text)}"


class _Walk:
    """Visits a document; the values it collects are its only state."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._items = 0

    def mapping(self, node: MapNode, place: str, pattern: str) -> None:
        """Visit the keys of a mapping; ``pattern`` is its path in the table of keys."""
        known = children_of(pattern)
        given: set[str] = set()
        for name, line, value in node.entries:
            path = f"{place}.{name}" if place else name
            key = known.get(name)
            if key is None:
                self._unknown(name, path, line, known, pattern)
            elif not _is_null(value):
                given.add(name)
                self._values.lines[path] = line
                self._deprecated(key, path, line)
                self._visit(value, path, key)
        for key in known.values():
            if key.required and key.name not in given:
                path = f"{place}.{key.name}" if place else key.name
                self._values.complain(path, f"{key.name} is required: {key.help}")

    def _visit(self, node: Node, place: str, key: Key) -> None:
        self._items += 1
        if self._items > MAX_ITEMS:
            if self._items == MAX_ITEMS + 1:
                message = f"the file holds more than {MAX_ITEMS} values"
                self._values.problems.append(Problem(node.line, "", message))
            return
        match node:
            case MapNode() if Kind.MAPPING in key.kinds:
                self.mapping(node, place, key.path)
            case MapNode() if key.single:
                self._list(ListNode((node,), node.line), place, key)
            case ListNode() if Kind.LIST in key.kinds:
                self._list(node, place, key)
            case ScalarNode():
                self._scalar(node, place, key)
            case _:
                self._wrong_kind(node, place, key)

    def _list(self, node: ListNode, place: str, key: Key) -> None:
        self._values.counts[place] = len(node.items)
        item = BY_PATH[key.path + "[]"]
        for index, child in enumerate(node.items):
            self._values.lines[f"{place}[{index}]"] = child.line
            self._visit(child, f"{place}[{index}]", item)
        if key.required and not node.items:
            self._values.complain(place, "must not be empty")

    def _scalar(self, node: ScalarNode, place: str, key: Key) -> None:
        text = node.text
        is_text = not node.plain or not (_is_null(node) or _is_number(text) or _is_flag(text))
        if Kind.FLAG in key.kinds and node.plain and text.lower() in _TRUE | _FALSE:
            self._values.flags[place] = text.lower() in _TRUE
            return
        fits = (
            (Kind.TEXT in key.kinds and is_text)
            or (Kind.VERSION in key.kinds and (is_text or _is_number(text)))
            or (Kind.INTEGER in key.kinds and node.plain and _is_integer(text))
        )
        if not fits:
            self._wrong_kind(node, place, key)
            return
        complaint = key.rule.complaint(text) if key.rule is not None else None
        if complaint is not None:
            message = complaint if key.private else f"{quote(text)}: {complaint}"
            self._values.problems.append(Problem(self._values.lines[place], place, message))
            return
        self._values.texts[place] = text

    def _wrong_kind(self, node: Node, place: str, key: Key) -> None:
        expected = " or ".join(kind.value for kind in key.kinds)
        message = f"expected {expected}, found {describe(node)}"
        if Kind.TEXT in key.kinds and isinstance(node, ScalarNode) and not _is_null(node):
            message += f'; write it in quotes: "{node.text}"'
        self._values.problems.append(Problem(self._values.lines[place], place, message))

    def _unknown(
        self, name: str, path: str, line: int, known: dict[str, Key], pattern: str
    ) -> None:
        where = pattern or "cog.yaml"
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        elsewhere = [key.path for key in BY_PATH.values() if key.name == name and not nearest]
        if nearest:
            hint = f"did you mean {nearest[0]}?"
        elif elsewhere:
            hint = f"it belongs at {elsewhere[0]}"
        else:
            hint = f"{where} takes {', '.join(known)}"
        shown = quote(path)[1:-1]
        self._values.problems.append(Problem(line, shown, f"unknown key; {hint}"))

    def _deprecated(self, key: Key, path: str, line: int) -> None:
        if key.replacement:
            message = f"deprecated; use {key.replacement} instead"
            self._values.warnings.append(Problem(line, path, message))
        elif key.ignored:
            self._values.warnings.append(Problem(line, path, "this key has no effect"))


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.plain and node.text in _NULLS


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_integer(text: str) -> bool:
    return re.fullmatch("[-+]?[0-9]{1,10}", text) is not None


def _is_flag(text: str) -> bool:
    return text.lower() in ("true", "false")
