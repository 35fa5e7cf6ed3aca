"""The functions and methods that constant expressions may call: none has an effect."""

from __future__ import annotations

import posixpath
import string
import textwrap
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from cog._schema.kinds import is_series, kind_of
from cogworks.schema.operators import check_format
from cogworks.schema.values import MAX_LENGTH, Enumeration, FunctionValue, Unknown, iterate


def _enumerate(items: list[Any], start: int = 0) -> list[tuple[int, Any]]:
    return list(enumerate(items, start))


def _reversed(items: list[Any]) -> list[Any]:
    return list(reversed(items))


def _zip(*series: Any, strict: bool = False) -> list[tuple[Any, ...]]:
    return list(zip(*map(iterate, series), strict=strict))


def _set(items: Any = ()) -> frozenset[Any]:
    return frozenset(_bounded(items))


def _round(number: Any, digits: int | None = None) -> Any:
    if digits is not None and abs(digits) > _MAX_DIGITS:
        raise Unknown.here("the number of digits is too large")
    return round(number, digits)


def _bounded(value: Any) -> Any:
    """Return what a function that does not mind the order of a set may loop over."""
    return list(iterate(value)) if isinstance(value, (range, Enumeration)) else value


_MAX_DIGITS = 400
"""No float has more before or behind the point."""

_ON_SERIES: dict[str, Callable[..., Any]] = {
    "builtins.all": all,
    "builtins.any": any,
    "builtins.enumerate": _enumerate,
    "builtins.list": list,
    "builtins.reversed": _reversed,
    "builtins.sum": sum,
    "builtins.tuple": tuple,
}
"""Functions whose first argument is looped over, in order."""

_ON_VALUES: dict[str, Callable[..., Any]] = {
    "builtins.abs": abs,
    "builtins.bool": bool,
    "builtins.dict": dict,
    "builtins.float": float,
    "builtins.frozenset": _set,
    "builtins.int": int,
    "builtins.len": len,
    "builtins.range": range,
    "builtins.round": _round,
    "builtins.set": _set,
    "builtins.str": str,
    "builtins.zip": _zip,
    "textwrap.dedent": textwrap.dedent,
}

_ON_ANY_ORDER: dict[str, Callable[..., Any]] = {
    "builtins.max": max,
    "builtins.min": min,
    "builtins.sorted": sorted,
}
"""Functions that do not mind in which order a set is."""

_WRAPPER_MODULES = ("cog", "cog.types", "cog.path", "cog.secret", "pathlib")

_PATHS: dict[str, Callable[..., Any]] = {
    f"os.path.{name}": getattr(posixpath, name)
    for name in ("basename", "dirname", "join", "normpath", "split", "splitext")
}

_KNOWN = {**_ON_SERIES, **_ON_ANY_ORDER, **_ON_VALUES, **_PATHS}

_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "center",
            "count",
            "endswith",
            "find",
            "format",
            "index",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "zfill",
        ]
    ),
    dict: frozenset(["copy", "get", "items", "keys", "values"]),
    list: frozenset(["copy", "count", "index"]),
    tuple: frozenset(["count", "index"]),
    frozenset: frozenset(["difference", "intersection", "issubset", "issuperset", "union"]),
}


def is_known_function(name: str) -> bool:
    """Tell whether ``call_function`` may know a function of the standard library."""
    return name in _KNOWN or name in ("builtins.filter", "builtins.map") or _wrapper(name) != ""


def method_of(name: str) -> Callable[..., Any] | None:
    """Return what ``str.lower`` is, the name ``builtins.str.lower``; None if it is no method."""
    owner, _, method = name.removeprefix("builtins.").partition(".")
    kind = next((kind for kind in _METHODS if kind.__name__ == owner), None)
    if kind is None or method not in _METHODS[kind]:
        return None

    def call(value: Any, *arguments: Any) -> Any:
        return call_method(value, method, list(arguments), {})

    return call


def bound_method(owner: Any, name: str) -> Callable[..., Any] | None:
    """Return what ``table.get`` is; None if the value has no such method."""
    if name not in _METHODS.get(kind_of(owner), ()):
        return None

    def call(*arguments: Any) -> Any:
        return call_method(owner, name, list(arguments), {})

    return call


def call_function(name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Return what a function of the standard library gives.

    Raises:
        Unknown: it is none of those that are known here.
    """
    if name in _ON_SERIES and arguments:
        return _ON_SERIES[name](list(iterate(arguments[0])), *arguments[1:], **keywords)
    if name in _ON_SERIES:
        return _ON_SERIES[name]()
    if name in _ON_ANY_ORDER:
        return _ON_ANY_ORDER[name](*map(_bounded, arguments), **keywords)
    if name in _KNOWN:
        return _KNOWN[name](*arguments, **keywords)
    if name in ("builtins.map", "builtins.filter") and _is_function(arguments):
        return _map_or_filter(name, *arguments)
    method = method_of(name)
    if method is not None:
        return method(*arguments, **keywords)
    wrapper = _wrapper(name)
    if wrapper == "Secret" and len(arguments) == 1 and not keywords:
        return arguments[0]
    if wrapper == "Path" and not keywords:
        return PurePosixPath(*arguments)
    shown = name.removeprefix("builtins.")
    raise Unknown.here(f"`{shown}(...)` is only known when the code runs")


def _wrapper(name: str) -> str:
    """Return ``Path`` or ``Secret`` for a class whose JSON is that of its argument."""
    module, _, last = name.rpartition(".")
    if module not in _WRAPPER_MODULES:
        return ""
    if last in ("Path", "PosixPath", "PurePath", "PurePosixPath"):
        return "Path"
    return last if last == "Secret" else ""


def _is_function(arguments: list[Any]) -> bool:
    return len(arguments) == 2 and isinstance(arguments[0], FunctionValue)


def _map_or_filter(name: str, function: FunctionValue, series: Any) -> list[Any]:
    if name == "builtins.map":
        return [function(item) for item in iterate(series)]
    return [item for item in iterate(series) if function(item)]


def call_method(owner: Any, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Return what a method of a constant gives.

    Raises:
        Unknown: it is none of those that are known here, or the result would be huge.
    """
    if name not in _METHODS.get(kind_of(owner), ()):
        raise Unknown.here(f"`.{name}()` of a {type(owner).__name__} is not constant")
    if isinstance(owner, str):
        _check_text_method(owner, name, arguments)
        if name == "join":
            return owner.join(iterate(arguments[0]))
    result = getattr(owner, name)(*arguments, **keywords)
    # Views of a dict are lists to all who use them here.
    return list(result) if name in ("keys", "values", "items") else result


def _check_text_method(owner: str, name: str, arguments: list[Any]) -> None:
    if name == "format":
        _check_format_method(owner)
    if name in ("center", "ljust", "rjust", "zfill") and arguments[:1] > [MAX_LENGTH]:
        raise Unknown.here("the value is too large")
    if name in ("replace", "join"):
        texts = [item for item in arguments if isinstance(item, str)]
        series = [len(item) for item in arguments if is_series(item)]
        factor = max([len(text) for text in texts] + series, default=0)
        if len(owner) * factor > 10 * MAX_LENGTH:
            raise Unknown.here("the value is too large")


def _check_format_method(owner: str) -> None:
    check_format(owner)
    for _, field, spec, _ in string.Formatter().parse(owner):
        if "{" in (spec or "") or "." in (field or "") or "[" in (field or ""):
            raise Unknown.here("such a format is not constant")
