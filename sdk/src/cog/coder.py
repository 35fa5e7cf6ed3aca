"""Conversions between JSON objects and types of the author's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Optional, TypeVar

_coders: list[type[Coder]] = []
_CoderClass = TypeVar("_CoderClass", bound="type[Coder]")


class Coder(ABC):
    """Turns values of one type into JSON objects and back.

    A subclass says in ``factory`` which types it is for; ``Coder.register`` makes it known.
    """

    @staticmethod
    def register(coder: _CoderClass) -> _CoderClass:
        """Make a class of coders known; may be used as a decorator."""
        _coders.append(coder)
        return coder

    @staticmethod
    def lookup(tpe: Any) -> Optional[Coder]:
        """Return a coder for a type, of the class that was registered first, or None."""
        for coder in _coders:
            found = coder.factory(tpe)
            if found is not None:
                return found
        return None

    @staticmethod
    @abstractmethod
    def factory(tpe: Any) -> Optional[Coder]:
        """Return a coder for a type, or None if this class is not for it."""

    @abstractmethod
    def encode(self, value: Any) -> dict[str, Any]:
        """Return the JSON object for a value."""

    @abstractmethod
    def decode(self, value: dict[str, Any]) -> Any:
        """Return the value of a JSON object."""
