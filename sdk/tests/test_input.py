"""``Input(...)``: what an author says of an input."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cog import FieldInfo, Input
from cog._schema.types import MISSING


def test_everything_said_is_kept() -> None:
    field = Input(
        3,
        description="how many",
        ge=1,
        le=9,
        min_length=1,
        max_length=2,
        regex="^a",
        choices=[3, 4],
        deprecated=True,
        accept="image/*",
    )
    assert field == FieldInfo(
        default=3,
        description="how many",
        ge=1,
        le=9,
        min_length=1,
        max_length=2,
        regex="^a",
        choices=(3, 4),
        deprecated=True,
        accept="image/*",
    )


def test_without_a_default_the_input_is_required() -> None:
    for field in (Input(), Input(...), Input(default=...), FieldInfo()):
        assert field.default is MISSING
        assert field.default_factory is None


def test_none_is_a_default() -> None:
    assert Input(default=None).default is None
    assert Input(None).default is None


def test_a_factory_is_kept_and_not_called() -> None:
    field = Input(default_factory=list)
    assert field.default_factory is list
    assert field.default is MISSING


def test_a_default_and_a_factory_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="not both"):
        Input(default=None, default_factory=list)


def test_a_factory_that_cannot_be_called_is_refused() -> None:
    factory: Any = []
    with pytest.raises(TypeError, match="callable"):
        Input(default_factory=factory)


@pytest.mark.parametrize("choices", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}.keys()])
def test_choices_may_be_any_series(choices: Any) -> None:
    assert Input(choices=choices).choices == ("a", "b")


def test_a_string_is_no_series_of_choices() -> None:
    with pytest.raises(TypeError, match="list of values"):
        Input(choices="ab")


def test_a_field_cannot_be_changed() -> None:
    field = FieldInfo()
    with pytest.raises(dataclasses.FrozenInstanceError):
        field.default = 1  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
