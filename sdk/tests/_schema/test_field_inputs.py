"""``Input(...)`` on the fields of a BaseModel: instances, coercion, and places that it cannot have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from cog import BaseModel, Input
from cog._schema.coerce import coerce_inputs
from cog._schema.errors import InputError, SignatureError
from cog._schema.signature import read_signature


class Box(BaseModel):
    x: int
    y: int = Input(default=2, ge=0)
    kind: str = Input(default="solid", choices=["solid", "dashed"])
    points: list[int] = Input(default=[1], le=9)
    names: list[str] = Input(default_factory=list, min_length=2)
    weight: Annotated[int, Input(le=70)] = 7


class Runner:
    def run(self, box: Box) -> str:
        return str(box)


def coerced(**fields: Any) -> Box:
    box: Box = coerce_inputs(read_signature(Runner, "run"), {"box": {"x": 1, **fields}})["box"]
    return box


def test_author_who_makes_an_instance_gets_the_real_defaults() -> None:
    box = Box(x=1)
    assert (box.y, box.kind, box.points, box.names, box.weight) == (2, "solid", [1], [], 7)


def test_mutable_defaults_are_new_for_each_instance() -> None:
    Box(x=1).points.append(5)
    assert Box(x=1).points == [1]


def test_field_without_a_default_must_be_given() -> None:
    class Named(BaseModel):
        name: str = Input(description="A name")

    with pytest.raises(TypeError, match="name"):
        Named()  # type: ignore[call-arg]


def test_client_who_leaves_fields_out_gets_the_defaults() -> None:
    assert coerced() == Box(x=1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"y": -1}, "y: must be >= 0, got -1"),
        ({"kind": "dotted"}, "kind: must be one of: solid, dashed"),
        ({"points": [3, 10]}, "points: item 1: must be <= 9, got 10"),
        ({"names": ["a"]}, "names: item 0: must have at least 2 characters, got 1"),
        ({"weight": 71}, "weight: must be <= 70, got 71"),
    ],
)
def test_worker_refuses_what_breaks_a_fields_limits(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        coerced(**fields)
    assert caught.value.problems == [("box", message)]


def test_dataclass_cannot_have_one() -> None:
    @dataclass
    class Plain:
        y: int = Input(default=2, ge=0)

    class Wrong:
        def run(self, box: Any) -> str:
            return str(box)

    Wrong.run.__annotations__["box"] = Plain
    with pytest.raises(SignatureError, match="has no effect on a field of a dataclass"):
        read_signature(Wrong, "run")
