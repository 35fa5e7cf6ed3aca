"""What programs changed inside an image, as data: the layers of several commands become one; pure.

An engine has a layer for each command. Merged, they say what all commands together did to what lies below: what was made
and removed again is not there, and what was there before and is gone is a whiteout.
Source: OCI image-spec v1.1, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from cogworks.oci.tar import Metadata

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
"""The name of a file that hides everything which lower layers have in its folder."""


class Kind(Enum):
    """What a path is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file: a part of another file. Two nodes with the same content are links to one file."""

    path: Path
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Node:
    """What is at a path; ``target`` is that of a symbolic link, ``content`` that of a file."""

    path: str
    kind: Kind
    metadata: Metadata
    target: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """One layer of an engine.

    Attributes:
        nodes: what it has, parents first.
        removed: paths of lower layers that are gone.
        opaque: folders of which nothing of lower layers is left.
    """

    nodes: tuple[Node, ...] = ()
    removed: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()


@dataclass
class Diff:
    """What all layers so far did together; owned by one thread."""

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    removed: set[str] = field(default_factory=set[str])
    opaque: set[str] = field(default_factory=set[str])
    _children: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def add(self, changes: Changes) -> None:
        """Put one more layer on top; what it removes is removed of the earlier ones and of what lies below."""
        for folder in changes.opaque:
            self._drop_below(folder)
            self.opaque.add(folder)
        for path in changes.removed:
            self._drop(path)
            self.removed.add(path)
        for node in changes.nodes:
            self._put(node)

    def whiteouts(self) -> Iterator[str]:
        """Yield what lower layers have and nobody sees any more; what an opaque folder hides is not among it."""
        for path in self.removed:
            hidden = any(parent in self.opaque for parent in parents(path))
            if not hidden and path not in self.nodes:
                yield path

    def drop(self, path: str) -> None:
        """Take away one path and what is below it, as if no command had touched it."""
        self._drop(path)
        below = f"{path}/"
        self.removed = {one for one in self.removed if not f"{one}/".startswith(below)}
        self.opaque = {one for one in self.opaque if not f"{one}/".startswith(below)}

    def _put(self, node: Node) -> None:
        before = self.nodes.get(node.path)
        is_directory = node.kind is Kind.DIRECTORY
        was_there = before is not None and before.kind is Kind.DIRECTORY
        if before is not None and is_directory != was_there:
            self._drop(node.path)
        # A whiteout beside a folder of the same name would not hide what that folder had below.
        if is_directory and not was_there and (before is not None or node.path in self.removed):
            self.opaque.add(node.path)
        self.removed.discard(node.path)
        self.nodes[node.path] = node
        child = node.path
        # Folders that only files name count, too.
        for parent in (*parents(child), ""):
            siblings = self._children.setdefault(parent, set())
            if child in siblings:
                break
            siblings.add(child)
            child = parent

    def _drop(self, path: str) -> None:
        self._drop_below(path)
        self.opaque.discard(path)
        self.nodes.pop(path, None)
        self._children.get(path.rpartition("/")[0], set()).discard(path)

    def _drop_below(self, folder: str) -> None:
        for path in list(self._children.get(folder, ())):
            self._drop(path)


def parents(path: str) -> Iterator[str]:
    """Yield the folders above a path, the nearest first."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
