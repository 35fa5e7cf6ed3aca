"""The ancestors of a class, in the order in which Python looks for attributes (C3)."""

from __future__ import annotations

from collections.abc import Callable

from cogworks.schema.entities import ClassEntity, Entity, External

MAX_DEPTH = 50
"""Of classes that inherit from one another; a circle of names reaches it."""

Ancestor = ClassEntity | External
Bases = Callable[[ClassEntity], list[Entity]]


def linearize(find_bases: Bases, entity: ClassEntity, depth: int = 0) -> list[Ancestor]:
    """Return a class and its ancestors, as ``__mro__`` does; those unknown are left out."""
    if depth > MAX_DEPTH:
        return [entity]
    bases: list[Ancestor] = [
        base
        for base in find_bases(entity)
        if isinstance(base, (ClassEntity, External)) and base != entity
    ]
    lines: list[list[Ancestor]] = [
        linearize(find_bases, base, depth + 1) if isinstance(base, ClassEntity) else [base]
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
