"""Values that constant expressions may have, and the limits on them."""

from __future__ import annotations

import math
import string
import sys
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn, TypeGuard, cast

from cog._schema.kinds import is_dict, is_list, is_series
from cogworks.schema.source import Place

MAX_LENGTH = 100_000
"""Of a string or a collection, in characters or items."""

MAX_WEIGHT = 2 * MAX_LENGTH
"""Of a value with all that is in it, in characters and items."""

MAX_BITS = 4096
"""Of an integer."""

CONSTANTS: dict[str, Any] = {
    "math.e": math.e,
    "math.inf": math.inf,
    "math.nan": math.nan,
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


class Refusing:
    """A value that is not data: whatever is done with it is an error that says why."""

    def refuse(self) -> NoReturn:
        """Raise the reason: somebody uses the value."""
        raise NotImplementedError

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

    def __format__(self, spec: str) -> str:
        self.refuse()

    __repr__ = __str__


class Unfolded(Refusing):
    """A value of a dict that is not known; only its use is an error, for the keys may be all.

    ``SCHEDULERS = {"DDIM": DDIMScheduler}`` and then ``choices=list(SCHEDULERS)``.
    """

    def __init__(self, unknown: Unknown) -> None:
        """Remember why it is not known."""
        self._unknown = unknown

    def refuse(self) -> NoReturn:
        """Raise the reason why it is not known."""
        raise self._unknown


class FunctionValue(Refusing):
    """A function that is an argument of another: the ``key`` of ``sorted``, the first of ``map``."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        """Call ``function`` for what the author calls ``name``."""
        self._name = name
        self._function = function

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return what the author's function gives."""
        return check_size(self._function(*arguments, **keywords))

    def refuse(self) -> NoReturn:
        """Raise that a function is no data."""
        raise Unknown.here(f"{self._name} is a function")


def is_set(value: Any) -> TypeGuard[frozenset[Any]]:
    """Tell whether it is what a set is here."""
    return isinstance(value, frozenset)


@dataclass(frozen=True)
class Member:
    """A member of an enum of the author's; ``owner`` tells enums apart.

    What ``str`` makes of one depends on the Python, so nothing here does.
    """

    owner: object
    name: str
    value: Any

    def __str__(self) -> str:
        """Refuse."""
        raise Unknown.here(f"the text of the enum member {self.name} differs between Pythons")

    def __format__(self, spec: str) -> str:
        """Refuse."""
        return str(self)

    __repr__ = __str__


class Enumeration(Refusing):
    """An enum of the author's; aliases are among the names, not among the members."""

    def __init__(self, name: str, names: dict[str, Member]) -> None:
        """Hold the members by name."""
        self._name = name
        self.names = names

    def members(self) -> list[Member]:
        """Return the members that a loop sees."""
        return list(dict.fromkeys(self.names.values()))

    def __len__(self) -> int:
        """Count the members."""
        return len(self.members())

    def __getitem__(self, name: str) -> Member:
        """Return a member by name."""
        return self.names[name]

    def refuse(self) -> NoReturn:
        """Raise that a class is no data."""
        raise Unknown.here(f"`{self._name}` is a class")


_SIZED: tuple[type[Any], ...] = (str, bytes, list, tuple, dict, frozenset)


def plain(value: Any) -> Any:
    """Return a value as data: enum members as their values, paths as strings.

    Raises:
        Unknown: a part of it is not known, or is no data.
    """
    if isinstance(value, Refusing):
        value.refuse()
    if isinstance(value, Member):
        return plain(value.value)
    if isinstance(value, PurePosixPath):
        return str(value)
    if is_list(value):
        return [plain(item) for item in value]
    if is_series(value):
        return tuple(plain(item) for item in value)
    if is_set(value):
        return frozenset(plain(item) for item in value)
    if is_dict(value):
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def attribute_of(value: Any, name: str, text: str) -> Any:
    """Return an attribute of an enum member or of a path, the only values that have any here.

    Raises:
        Unknown: it is another one; ``text`` is how the author wrote it.
    """
    if isinstance(value, Member) and name in ("name", "value", "_name_", "_value_"):
        return value.name if "name" in name else value.value
    if isinstance(value, PurePosixPath) and name in ("name", "stem", "suffix", "parent"):
        return getattr(value, name)
    raise Unknown.here(f"`{text}` is not found")


def is_changeable(value: Any) -> bool:
    """Tell whether a value can be changed in place."""
    if is_series(value) and not is_list(value):
        return any(is_changeable(item) for item in value)
    return isinstance(value, (list, dict, frozenset, Refusing))


def weigh(value: Any) -> int:
    """Return how large a value is, in characters and items; what is there twice counts twice.

    Raises:
        Unknown: it is larger than anything that a schema may have.
    """
    weight = 0
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, (str, bytes)):
            weight += len(item)
        elif is_dict(item):
            weight += len(item)
            todo += [*item.keys(), *item.values()]
        elif is_series(item) or is_set(item):
            weight += len(item)
            todo += item
        if weight > MAX_WEIGHT:
            raise Unknown.here("the value is too large")
    return weight


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
    if isinstance(value, Enumeration):
        return value.members()
    if isinstance(value, str) or is_series(value) or is_dict(value):
        return list(value)
    raise Unknown.here(f"a {type(value).__name__} cannot be looped over")
