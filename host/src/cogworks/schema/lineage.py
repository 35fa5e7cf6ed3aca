"""The ancestors of a class, in the order in which Python looks for attributes (C3)."""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Callable

from cogworks.schema.entities import ClassEntity, Entity, External

Ancestor = ClassEntity | External


class Lineage:
    """Knows the ancestors of the classes of one project."""

    def __init__(self, find_bases: Callable[[ClassEntity], list[Entity]]) -> None:
        """Ask ``find_bases`` for what a class is derived from."""
        self._find_bases = find_bases
        self._known: dict[ast.ClassDef, list[Ancestor]] = {}

    def linearize(self, entity: ClassEntity) -> list[Ancestor]:
        """Return a class and its ancestors, as ``__mro__`` does; those unknown are left out."""
        if entity.node not in self._known:
            self._known[entity.node] = [entity]  # What a circle of names finds on its way.
            self._known[entity.node] = [entity, *self._ancestors(entity)]
        return self._known[entity.node]

    def _ancestors(self, entity: ClassEntity) -> list[Ancestor]:
        bases: list[Ancestor] = [
            base
            for base in self._find_bases(entity)
            if isinstance(base, (ClassEntity, External)) and base != entity
        ]
        lines: list[list[Ancestor]] = [
            self.linearize(base) if isinstance(base, ClassEntity) else [base] for base in bases
        ]
        return _merge([*lines, bases])


def _merge(lines: list[list[Ancestor]]) -> list[Ancestor]:
    """Merge as C3 does; where Python would refuse the bases, in the order of the source."""
    todo = [deque(line) for line in lines if line]
    behind = Counter(item for line in todo for item in list(line)[1:])
    result: list[Ancestor] = []
    while todo:
        heads = [line[0] for line in todo]
        head = next((item for item in heads if not behind[item]), heads[0])
        result.append(head)
        for line in todo:
            _remove(line, head, behind)
        todo = [line for line in todo if line]
    return result


def _remove(line: deque[Ancestor], item: Ancestor, behind: Counter[Ancestor]) -> None:
    """Remove an item from the front of a line; from its middle if the bases are contradictory."""
    if line[0] != item:
        if behind[item] and item in line:
            line.remove(item)
            behind[item] -= 1
        return
    line.popleft()
    if line:
        behind[line[0]] -= 1
