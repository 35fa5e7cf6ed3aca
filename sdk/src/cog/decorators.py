"""What an author may say of ``run()`` as a whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional, TypeVar, Union, overload

_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def streaming(function: _Function, /) -> _Function: ...
@overload
def streaming() -> Callable[[_Function], _Function]: ...
def streaming(
    function: Optional[_Function] = None, /
) -> Union[_Function, Callable[[_Function], _Function]]:
    """Say that clients may read the output of this generator as server-sent events.

    ``@streaming`` and ``@streaming()`` are the same.

    Raises:
        TypeError: it decorates something that is no function.
    """
    return _mark_streaming if function is None else _mark_streaming(function)


def _mark_streaming(function: _Function) -> _Function:
    if not callable(function):
        raise TypeError(f"@streaming decorates a function, not {type(function).__name__}")
    function.__cog_streaming__ = True  # type: ignore[attr-defined]
    return function


@overload
def concurrent(function: _Function, /) -> _Function: ...
@overload
def concurrent(*, max: int = 1) -> Callable[[_Function], _Function]: ...
def concurrent(
    function: Optional[_Function] = None, /, *, max: object = 1
) -> Union[_Function, Callable[[_Function], _Function]]:
    """Say how many predictions an ``async`` model works on at once.

    ``@concurrent(max=8)``; ``@concurrent`` alone is ``max=1``.

    Raises:
        TypeError: ``max`` is no int or given without its name, or the function is not
            ``async`` and ``max`` is more than 1.
        ValueError: ``max`` is less than 1.
    """
    if function is not None and not callable(function):
        raise TypeError(f"@concurrent takes max by name: @concurrent(max={function!r})")
    if not isinstance(max, int) or isinstance(max, bool):
        raise TypeError(f"@concurrent(max=...) must be an int, not {type(max).__name__}")
    if max < 1:
        raise ValueError(f"@concurrent(max={max}) must be at least 1")

    def mark(target: _Function) -> _Function:
        if not callable(target):
            raise TypeError(f"@concurrent decorates a function, not {type(target).__name__}")
        if max > 1 and not _is_async(target):
            name = getattr(target, "__name__", repr(target))
            raise TypeError(
                f"@concurrent(max={max}) needs an async function, and {name}() is not: "
                "only async models can work on several predictions at once"
            )
        target.__cog_concurrent_max__ = max  # type: ignore[attr-defined]
        return target

    return mark if function is None else mark(function)


def _is_async(function: Callable[..., Any]) -> bool:
    inner = inspect.unwrap(function)
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)
