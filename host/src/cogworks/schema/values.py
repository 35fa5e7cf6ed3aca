"""Values that constant expressions may have, and the limits on them."""

from __future__ import annotations

import math
import string
import sys
from collections.abc import Iterable, Sized
from typing import Any, NoReturn, cast

from cog._schema.kinds import is_dict, is_series
from cogworks.schema.source import Place

MAX_LENGTH = 100_000
"""Of a string or a collection, in characters or items."""

MAX_BITS = 4096
"""Of an integer."""

CONSTANTS: dict[str, Any] = {
    "math.e": math.e,
    "math.inf": math.inf,
    "math.pi": math.pi,
    "math.tau": math.tau,
    "string.ascii_letters": string.ascii_letters,
    "string.ascii_lowercase": string.ascii_lowercase,
    "string.ascii_uppercase": string.ascii_uppercase,
    "string.digits": string.digits,
    "sys.maxsize": sys.maxsize,
}
"""Constants of the standard library that authors use as bounds."""


class Unknown(Exception):
    """A value that source text does not tell: ``place`` is the innermost expression at fault."""

    def __init__(self, place: Place | None, why: str) -> None:
        """Say why, without the place."""
        super().__init__(why)
        self.place = place
        self.why = why

    @classmethod
    def here(cls, why: str) -> Unknown:
        """Make one whose place is filled in by the expression that is being folded."""
        return cls(None, why)

    def at(self, place: Place) -> Unknown:
        """Fill in the place unless it is known."""
        return self if self.place is not None else Unknown(place, self.why)


class Unfolded:
    """A value of a dict that is not known; only its use is an error, for the keys may be all.

    ``SCHEDULERS = {"DDIM": DDIMScheduler}`` and then ``choices=list(SCHEDULERS)``.
    """

    def __init__(self, unknown: Unknown) -> None:
        """Remember why it is not known."""
        self._unknown = unknown

    def refuse(self) -> NoReturn:
        """Raise the reason: somebody uses the value."""
        raise self._unknown

    def __bool__(self) -> bool:
        self.refuse()

    def __eq__(self, other: object) -> bool:
        self.refuse()

    def __hash__(self) -> int:
        self.refuse()

    def __lt__(self, other: object) -> bool:
        self.refuse()

    def __str__(self) -> str:
        self.refuse()

    __repr__ = __str__


_SIZED: tuple[type[Any], ...] = (str, bytes, list, tuple, dict, frozenset)


def check_known(value: Any) -> Any:
    """Return a value if all that it consists of is known.

    Raises:
        Unknown: a part is not.
    """
    if isinstance(value, Unfolded):
        value.refuse()
    if is_series(value):
        for item in value:
            check_known(item)
    elif is_dict(value):
        check_known(list(value.values()))
    return value


def check_size(value: Any) -> Any:
    """Return ``value`` if it is of a size that a schema may have.

    Raises:
        Unknown: it is larger.
    """
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise Unknown.here("the number is too large")
    elif isinstance(value, _SIZED) and len(cast("Sized", value)) > MAX_LENGTH:
        raise Unknown.here("the value is too large")
    return cast("Any", value)


def iterate(value: Any) -> Iterable[Any]:
    """Return what a loop over ``value`` sees.

    Raises:
        Unknown: it is a set, whose order Python does not fix, or nothing to loop over.
    """
    if isinstance(value, frozenset):
        raise Unknown.here("the order of a set is not fixed")
    if isinstance(value, range):
        if len(value) > MAX_LENGTH:
            raise Unknown.here("the range is too large")
        return value
    if isinstance(value, str) or is_series(value) or is_dict(value):
        return list(value)
    raise Unknown.here(f"a {type(value).__name__} cannot be looped over")
