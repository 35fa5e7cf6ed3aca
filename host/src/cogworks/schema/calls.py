"""The functions and methods that constant expressions may call: none has an effect."""

from __future__ import annotations

import ast
import string
import textwrap
from collections.abc import Callable
from typing import Any

from cog._schema.kinds import is_series, kind_of
from cogworks.schema.operators import check_format
from cogworks.schema.values import MAX_LENGTH, Unknown, iterate


def _enumerate(items: list[Any], start: int = 0) -> list[tuple[int, Any]]:
    return list(enumerate(items, start))


def _reversed(items: list[Any]) -> list[Any]:
    return list(reversed(items))


def _zip(*series: Any, strict: bool = False) -> list[tuple[Any, ...]]:
    return list(zip(*map(iterate, series), strict=strict))


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
    "builtins.frozenset": frozenset,
    "builtins.int": int,
    "builtins.len": len,
    "builtins.range": range,
    "builtins.round": round,
    "builtins.set": frozenset,
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

_WRAPPERS = ("Path", "PosixPath", "PurePath", "PurePosixPath", "Secret")
_WRAPPER_MODULES = ("cog", "cog.types", "cog.path", "cog.secret", "pathlib")

_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "count",
            "endswith",
            "find",
            "format",
            "index",
            "join",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "replace",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
        ]
    ),
    dict: frozenset(["copy", "get", "items", "keys", "values"]),
    list: frozenset(["copy", "count", "index"]),
    tuple: frozenset(["count", "index"]),
    frozenset: frozenset(["difference", "intersection", "issubset", "issuperset", "union"]),
}


def constructor_argument(name: str, node: ast.Call) -> ast.expr | None:
    """Return the argument of ``Path("x")`` or ``Secret("x")``, for it is their JSON; else None."""
    module, _, last = name.rpartition(".")
    if module not in _WRAPPER_MODULES or last not in _WRAPPERS:
        return None
    return node.args[0] if len(node.args) == 1 and not node.keywords else None


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
        return _ON_ANY_ORDER[name](*arguments, **keywords)
    if name in _ON_VALUES:
        return _ON_VALUES[name](*arguments, **keywords)
    shown = name.removeprefix("builtins.")
    raise Unknown.here(f"`{shown}(...)` is only known when the code runs")


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
