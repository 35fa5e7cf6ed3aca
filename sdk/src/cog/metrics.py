"""What a model measures during one prediction: the rules for names, values and modes.

Names: 1 to 4 segments with dots between them; a segment is a letter, then letters, digits and
single underscores, and does not end with one; ASCII; at most 128 characters. A dot makes a
nested object in the response. ``predict_time`` and ``cog.`` belong to the server.

Values: bool, int, float, str, list and dict, as JSON has them. A name keeps the type of its
first value until it is deleted, so that who reads the metrics can rely on it. Two exceptions
where nothing is lost: ``increment`` and ``append`` mix int and float, and ``append`` puts
anything on a list that was recorded as a list.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, cast

Record = Callable[[str, Any, str], None]
"""Takes a name, a value and one of ``replace``, ``increment``, ``append``, ``delete``."""

MAX_NAME_CHARACTERS = 128
MAX_NAME_SEGMENTS = 4

_MODES = {
    "replace": "replace",
    "incr": "increment",
    "increment": "increment",
    "append": "append",
}
_KINDS = (bool, int, float, str, list, dict)  # bool first: it is an int too
_LETTERS = frozenset(string.ascii_letters)
_CHARACTERS = _LETTERS | frozenset(string.digits + "_")


class _Lock:
    """What is known of a name: the type of its first value, and whether it is a list now."""

    __slots__ = ("is_list", "kind")

    def __init__(self, kind: type, is_list: bool) -> None:
        self.kind = kind
        self.is_list = is_list


class Metrics:
    """The metrics of one prediction. ``metrics[name] = value`` records, ``del`` deletes."""

    __slots__ = ("_locks", "_record")

    def __init__(self, record: Record) -> None:
        """Make an empty set of metrics; ``record`` is told of every change, already checked."""
        self._record = record
        self._locks: dict[str, _Lock] = {}

    def record(self, name: str, value: Any, mode: str = "replace") -> None:
        """Record a metric; None deletes it.

        Args:
            name: see the rules at the top of this module.
            value: what to ``replace`` it by, ``increment`` (or ``incr``) it by, or ``append``.
            mode: one of these words.

        Raises:
            ValueError: the name breaks a rule or is reserved, or a number is not finite.
            TypeError: no such mode, a value that is no JSON, or of another type than before.
        """
        mode = checked_mode(mode)
        if value is None and mode == "replace":
            self.delete(name)
            return
        lock = self._locks.get(name)
        if lock is None:
            check_name(name)
        kind = _kind_of(name, value)
        value = _as_json(name, value)
        if mode == "replace":
            is_list = kind is list
            _check_replace(name, kind, lock)
        elif mode == "increment":
            is_list = False
            kind = _check_increment(name, kind, lock)
        else:
            is_list = True
            _check_append(name, kind, lock)
        if lock is None:
            self._locks[name] = _Lock(kind, is_list)
        else:
            lock.is_list = is_list
            if mode == "increment":
                lock.kind = kind
        self._record(name, value, mode)

    def delete(self, name: str) -> None:
        """Forget a metric and its type; one that is not there is fine.

        Raises:
            ValueError: the name breaks a rule or is reserved.
        """
        if self._locks.pop(name, None) is None:
            check_name(name)
        self._record(name, None, "delete")

    def __setitem__(self, name: str, value: Any) -> None:
        self.record(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)


class NoMetrics(Metrics):
    """Metrics outside a prediction: accepted and forgotten, unless the mode is no mode."""

    __slots__ = ()

    def record(self, name: str, value: Any, mode: str = "replace") -> None:
        """Do nothing.

        Raises:
            TypeError: no such mode.
        """
        checked_mode(mode)

    def delete(self, name: str) -> None:
        """Do nothing."""


def checked_mode(mode: object) -> str:
    """Return the mode's full word, as the bridge spells it.

    Raises:
        TypeError: no such mode.
    """
    word = _MODES.get(mode) if isinstance(mode, str) else None
    if word is None:
        raise TypeError(f"unknown metric mode {mode!r}: expected 'replace', 'incr' or 'append'")
    return word


def check_name(name: object) -> None:
    """Refuse a name that breaks a rule.

    Raises:
        TypeError: it is no string.
        ValueError: it breaks a rule or is reserved; the message says which.
    """
    if not isinstance(name, str):
        raise TypeError(f"a metric name is a str, not {type(name).__name__}")
    problem = _find_problem(name)
    if problem is not None:
        shown = name if len(name) <= MAX_NAME_CHARACTERS else name[:MAX_NAME_CHARACTERS] + "…"
        raise ValueError(f"metric name {shown!r} {problem}")


def _find_problem(name: str) -> Optional[str]:
    """Say which rule a name breaks, or None."""
    if not name:
        return "is empty"
    if len(name) > MAX_NAME_CHARACTERS:
        return f"is too long: it must be {MAX_NAME_CHARACTERS} characters or fewer"
    if name.startswith("."):
        return "must not start with a dot"
    if name.endswith("."):
        return "must not end with a dot"
    segments = name.split(".")
    if "" in segments:
        return "must not have empty segments"
    if len(segments) > MAX_NAME_SEGMENTS:
        return f"must have at most {MAX_NAME_SEGMENTS} dot-separated segments"
    for segment in segments:
        problem = _find_segment_problem(segment)
        if problem is not None:
            return f"{problem} (in segment {segment!r})"
    if segments[0] == "predict_time" or (segments[0] == "cog" and len(segments) > 1):
        return "is reserved for the server"
    return None


def _find_segment_problem(segment: str) -> Optional[str]:
    for character in segment:
        if character not in _CHARACTERS:
            return f"has an invalid character {character!r}: use ASCII letters, digits and _"
    if segment[0] not in _LETTERS:
        return "must start with a letter"
    if "__" in segment:
        return "must not have consecutive underscores"
    if segment[-1] == "_":
        return "must end with a letter or digit"
    return None


def _kind_of(name: str, value: Any) -> type:
    """Return which of the six types a value has; a subclass counts as its base."""
    for kind in _KINDS:
        if isinstance(value, kind):
            return kind
    raise TypeError(
        f"Unsupported metric value type for {name!r}: {type(value).__name__}; "
        "expected bool, int, float, str, list or dict"
    )


def _as_json(name: str, value: Any) -> Any:
    """Return a copy of plain JSON types, so that later changes of a list do not show."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"metric {name!r} must be a finite number, not {value}")
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_as_json(name, item) for item in cast(Iterable[Any], value)]
    if isinstance(value, dict):
        pairs = cast(Mapping[Any, Any], value).items()
        return {_as_key(name, key): _as_json(name, item) for key, item in pairs}
    raise TypeError(f"Unsupported metric value type inside {name!r}: {type(value).__name__}")


def _as_key(name: str, key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise TypeError(f"metric {name!r} has a key that is no str: {key!r}")


def _check_replace(name: str, kind: type, lock: Optional[_Lock]) -> None:
    if lock is not None and kind is not lock.kind:
        raise TypeError(
            f"metric {name!r} is {lock.kind.__name__}: "
            f"cannot set to {kind.__name__} without deleting first"
        )


def _check_increment(name: str, kind: type, lock: Optional[_Lock]) -> type:
    """Return the type of the sum."""
    if kind is not int and kind is not float:
        raise TypeError(f"metric {name!r} can be incremented by int or float, not {kind.__name__}")
    if lock is None:
        return kind
    if lock.is_list or (lock.kind is not int and lock.kind is not float):
        now = "list" if lock.is_list else lock.kind.__name__
        raise TypeError(f"metric {name!r} is {now}: cannot increment without deleting first")
    return float if float in (kind, lock.kind) else int


def _check_append(name: str, kind: type, lock: Optional[_Lock]) -> None:
    if lock is None or kind is lock.kind or lock.kind is list:
        return
    if {kind, lock.kind} != {int, float}:
        raise TypeError(
            f"metric {name!r} is {lock.kind.__name__}: "
            f"cannot append {kind.__name__} without deleting first"
        )
