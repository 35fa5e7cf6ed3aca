"""Return annotations of models that yield."""

from __future__ import annotations

import collections.abc
import typing

import pytest

from cog import AsyncConcatenateIterator, ConcatenateIterator


class Model:
    def run(self) -> ConcatenateIterator[str]:
        yield "a"
        yield "b"

    async def stream(self) -> AsyncConcatenateIterator[str]:
        yield "a"


def test_a_generator_may_say_that_it_yields_a_text() -> None:
    assert list(Model().run()) == ["a", "b"]


@pytest.mark.parametrize(
    ("method", "expected"),
    [(Model.run, ConcatenateIterator), (Model.stream, AsyncConcatenateIterator)],
)
def test_the_annotation_says_so_at_run_time(method: object, expected: object) -> None:
    annotation = typing.get_type_hints(method)["return"]
    assert typing.get_origin(annotation) is expected
    assert typing.get_args(annotation) == (str,)


def test_they_are_iterators() -> None:
    assert issubclass(ConcatenateIterator, collections.abc.Iterator)
    assert issubclass(AsyncConcatenateIterator, collections.abc.AsyncIterator)


def test_without_an_argument_there_is_none() -> None:
    assert typing.get_args(ConcatenateIterator) == ()
