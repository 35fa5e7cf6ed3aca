"""The author's classes: their ancestors in the order in which Python looks for methods."""

from __future__ import annotations

from cogworks.schema.entities import ClassEntity, External
from cogworks.schema.names import MAX_DEPTH, Names

Ancestor = ClassEntity | External


class Classes:
    """Knows the classes of one project."""

    def __init__(self, names: Names) -> None:
        """Look base classes up in ``names``."""
        self._names = names

    def linearize(self, entity: ClassEntity) -> list[Ancestor]:
        """Return a class and its ancestors, as ``__mro__`` does; those unknown are left out."""
        return self._linearize(entity, 0)

    def _linearize(self, entity: ClassEntity, depth: int) -> list[Ancestor]:
        if depth > MAX_DEPTH:
            return [entity]
        bases: list[Ancestor] = [
            base
            for base in self._names.bases(entity)
            if isinstance(base, (ClassEntity, External)) and base != entity
        ]
        lines: list[list[Ancestor]] = [
            self._linearize(base, depth + 1) if isinstance(base, ClassEntity) else [base]
            for base in bases
        ]
        return [entity, *_merge([*lines, bases])]


def _merge(lines: list[list[Ancestor]]) -> list[Ancestor]:
    """Merge as C3 does; where Python would refuse the bases, in the order of the source."""
    result: list[Ancestor] = []
    lines = [list(line) for line in lines if line]
    while lines:
        heads = [line[0] for line in lines]
        good = [head for head in heads if not any(head in line[1:] for line in lines)]
        head = (good or heads)[0]
        result.append(head)
        lines = [rest for line in lines if (rest := [item for item in line if item != head])]
    return result
