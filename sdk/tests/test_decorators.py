"""``@streaming`` and ``@concurrent``."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cog import concurrent, streaming


def plain() -> str:
    return "x"


async def coroutine() -> str:
    return "x"


async def generator() -> AsyncIterator[str]:
    yield "x"


def fresh(function: Callable[..., Any]) -> Any:
    """Return a new function with the same code, for decorators leave marks."""
    import types

    assert isinstance(function, types.FunctionType)
    return types.FunctionType(function.__code__, function.__globals__, function.__name__)


def test_streaming_marks_the_function_itself_bare_or_called() -> None:
    bare, called = fresh(plain), fresh(plain)
    assert streaming(bare) is bare
    assert streaming()(called) is called
    assert bare.__cog_streaming__ is called.__cog_streaming__ is True


@pytest.mark.parametrize("value", [1, "x", None])
def test_streaming_decorates_functions_only(value: Any) -> None:
    with pytest.raises(TypeError, match="decorates a function"):
        streaming()(value)
    if value is not None:
        with pytest.raises(TypeError, match="decorates a function"):
            streaming(value)


@pytest.mark.parametrize("function", [coroutine, generator])
def test_concurrent_marks_an_async_function(function: Callable[..., Any]) -> None:
    target = fresh(function)
    assert concurrent(max=8)(target) is target
    assert target.__cog_concurrent_max__ == 8


def test_concurrent_alone_is_one_at_a_time() -> None:
    bare, called, named = fresh(plain), fresh(plain), fresh(plain)
    assert concurrent(bare) is bare
    assert concurrent()(called) is called
    assert concurrent(max=1)(named) is named
    assert {f.__cog_concurrent_max__ for f in (bare, called, named)} == {1}


def test_more_than_one_at_a_time_needs_an_async_function() -> None:
    with pytest.raises(TypeError, match=r"needs an async function, and plain\(\) is not"):
        concurrent(max=2)(fresh(plain))


def test_a_wrapped_async_function_counts_as_async() -> None:
    @functools.wraps(coroutine)
    def wrapper() -> Any:
        return coroutine()

    assert concurrent(max=2)(wrapper) is wrapper


def test_both_decorators_go_together() -> None:
    target = fresh(generator)
    assert streaming(concurrent(max=2)(target)) is target
    assert (target.__cog_streaming__, target.__cog_concurrent_max__) == (True, 2)


@pytest.mark.parametrize("value", [True, False, 1.0, "2", None])
def test_a_max_that_is_no_int_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="must be an int"):
        concurrent(max=value)


@pytest.mark.parametrize("value", [0, -1])
def test_a_max_below_one_is_a_value_error(value: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        concurrent(max=value)


def test_a_max_without_its_name_is_a_type_error() -> None:
    anything: Any = concurrent
    with pytest.raises(TypeError, match=r"by name: @concurrent\(max=2\)"):
        anything(2)


def test_concurrent_decorates_functions_only() -> None:
    anything: Any = concurrent()
    with pytest.raises(TypeError, match="decorates a function"):
        anything(3)
