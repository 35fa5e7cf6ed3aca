"""Return annotations of models that yield a text in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    # A generator function must be annotated with a supertype of Generator, which a subclass of
    # Iterator is not: for type checkers the two are the plain iterators.
    ConcatenateIterator = Iterator
    AsyncConcatenateIterator = AsyncIterator
else:
    _Item = TypeVar("_Item", covariant=True)

    class ConcatenateIterator(Iterator, Generic[_Item]):
        """``-> ConcatenateIterator[str]``: yielded strings are the pieces of one text."""

    class AsyncConcatenateIterator(AsyncIterator, Generic[_Item]):
        """``-> AsyncConcatenateIterator[str]``: the same, of an ``async`` generator."""
