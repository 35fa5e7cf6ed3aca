from __future__ import annotations

import math
from typing import Any, List, Tuple

import pytest

from cog import Secret
from cog._schema.coerce import coerce_inputs, compile_coercer
from cog._schema.errors import InputError
from cog._schema.kinds import is_dict
from cog._schema.signature import read_signature
from cog._schema.types import (
    COMPUTED,
    AnyType,
    DictType,
    InputField,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Signature,
    UnionType,
)

INT, TEXT = Scalar("int"), Scalar("str")


def coerce(values: dict[str, Any], *fields: InputField) -> dict[str, Any]:
    return coerce_inputs(Signature(fields, TEXT), values)


def problems(values: dict[str, Any], *fields: InputField) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        coerce(values, *fields)
    return caught.value.problems


def test_every_input_has_a_value() -> None:
    fields = (
        InputField("given", TEXT),
        InputField("default", INT, 3),
        InputField("nullable", OptionalType(INT)),
        InputField("computed", INT, COMPUTED, factory=lambda: 7),
    )
    assert coerce({"given": "x"}, *fields) == {
        "given": "x",
        "default": 3,
        "nullable": None,
        "computed": 7,
    }


def test_unknown_names_are_dropped() -> None:
    assert coerce({"x": 1, "y": 2}, InputField("x", INT)) == {"x": 1}


def test_all_problems_are_told_at_once() -> None:
    fields = (
        InputField("a", INT),
        InputField("b", INT, 3, ge=1),
        InputField("c", OptionalType(UnionType((INT, TEXT)))),
        InputField("d", TEXT, "x"),
    )
    assert problems({"b": 0, "d": None}, *fields) == [
        ("a", "Field required"),
        ("b", "must be >= 1, got 0"),
        ("c", "Field required"),
        ("d", "expected string, got null"),
    ]


def test_constraints_of_a_list_are_about_its_items() -> None:
    field = InputField("x", OptionalType(ListType(INT)), le=5)
    assert coerce({"x": [1, 5]}, field) == {"x": [1, 5]}
    assert coerce({"x": None}, field) == {"x": None}
    assert problems({"x": [1, 6]}, field) == [("x", "item 1: must be <= 5, got 6")]


def test_defaults_are_converted_like_values() -> None:
    fields = (InputField("x", Scalar("float"), 1), InputField("token", SecretType(), "s"))
    values = coerce({}, *fields)
    assert values == {"x": 1.0, "token": Secret("s")}
    assert type(values["x"]) is float


def test_defaults_of_files_stay_strings() -> None:
    assert coerce({}, InputField("x", PathType(), "photo.jpg")) == {"x": "photo.jpg"}


@pytest.mark.parametrize(
    "field",
    [
        InputField("x", ListType(ListType(INT)), [[1]]),
        InputField("x", DictType(AnyType()), {"a": [1]}),
        InputField("x", AnyType(), [[1]]),
    ],
)
def test_mutable_defaults_are_new_for_each_prediction(field: InputField) -> None:
    compiled = compile_coercer(Signature((field,), TEXT))
    first = compiled({})["x"]
    inner: Any = first[next(iter(first))] if is_dict(first) else first[0]
    inner.append(2)
    assert compiled({})["x"] == field.default != first


def test_values_are_not_changed() -> None:
    values: dict[str, Any] = {"x": [1, 2]}
    coerce(values, InputField("x", ListType(Scalar("float"))))
    assert values == {"x": [1, 2]}


def test_secrets_stay_out_of_messages() -> None:
    field = InputField("x", ListType(SecretType()))
    assert "hidden" not in str(problems({"x": [["hidden"]]}, field))


def test_default_that_json_cannot_hold_is_made_where_the_model_runs() -> None:
    def run(
        limit: float = math.inf,
        pairs: Tuple[float, int] = (math.nan, 1),
        most: List[float] = [-math.inf],  # noqa: B006 - what authors write
    ) -> int:
        raise NotImplementedError

    made = coerce_inputs(read_signature(run), {})
    assert made["limit"] == math.inf
    assert str(made["pairs"]) == "(nan, 1)"
    assert made["most"] == [-math.inf]
