"""The author's classes: their ancestors in the order in which Python looks for methods."""

from __future__ import annotations

from cogworks.schema.entities import ClassEntity
from cogworks.schema.lineage import Ancestor
from cogworks.schema.names import Names

__all__ = ["Ancestor", "Classes"]


class Classes:
    """Knows the classes of one project."""

    def __init__(self, names: Names) -> None:
        """Look base classes up in ``names``."""
        self._names = names

    def linearize(self, entity: ClassEntity) -> list[Ancestor]:
        """Return a class and its ancestors, as ``__mro__`` does; those unknown are left out."""
        return self._names.linearize(entity)
