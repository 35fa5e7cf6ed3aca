"""The nodes of a YAML document: values with their lines and their raw text.

Nothing is interpreted here: ``3.10`` stays the text ``3.10``, and a plain (unquoted) scalar is
marked as such, so that the reader of a key decides what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value; ``plain`` is true where it stood without quotes."""

    text: str
    plain: bool
    line: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of values."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; ``entries`` holds (key, line of the key, value), keys unique, in file order."""

    entries: tuple[tuple[str, int, Node], ...]
    line: int


Node: TypeAlias = ScalarNode | ListNode | MapNode
