from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Dict, Generic, List, Optional, TypeVar, Union

import pytest

from cog import BaseModel
from cog._schema.coerce import coerce_inputs
from cog._schema.encode import encode_output
from cog._schema.errors import SignatureError
from cog._schema.live_generics import bases_of, completed, default_of, parameters_of, split
from cog._schema.signature import read_signature
from cog._schema.types import type_name

T = TypeVar("T")
K = TypeVar("K")


class Item(BaseModel):
    name: str


class Box(BaseModel, Generic[T]):
    item: T
    more: List[T] = []  # noqa: RUF012 - a BaseModel copies it


class IntBox(Box[int]):
    label: str = "x"


@dataclass
class Node(Generic[T]):
    value: T
    next: Optional[Node[T]] = None


def arguments(function: Any, values: dict[str, Any]) -> dict[str, Any]:
    return coerce_inputs(read_signature(function), values)


def test_filled_class_is_taken_apart() -> None:
    assert split(Box[int]) == (Box, (int,))
    assert split(Box) is None
    assert parameters_of(Box) == (T,)
    assert parameters_of(IntBox) == ()
    assert bases_of(IntBox) == (Box[int],)
    assert completed((T,), (int, str)) == (int, str)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="type parameters have no defaults there")
def test_default_of_a_parameter_is_taken_as_of_python_3_13() -> None:
    make: Any = TypeVar
    first = make("first", default=int)
    assert completed((first,), ()) == (int,)
    assert completed((first,), (str,)) == (str,)
    assert completed((T,), ()) == ()


def test_inputs_become_instances_with_the_filled_types() -> None:
    def run(box: Box[float], boxes: Dict[str, Box[Item]], node: Node[int], own: IntBox) -> int:
        raise NotImplementedError

    given = {
        "box": {"item": 1, "more": [2]},
        "boxes": {"a": {"item": {"name": "x"}}},
        "node": {"value": 1, "next": {"value": 2}},
        "own": {"item": 3},
    }
    made = arguments(run, given)
    assert made["box"] == Box(1.0, [2.0])
    assert isinstance(made["box"].item, float)
    assert made["boxes"] == {"a": Box(Item("x"))}
    assert made["node"] == Node(1, Node(2))
    assert made["own"] == IntBox(3)


def test_value_of_another_type_is_refused_with_its_place() -> None:
    def run(node: Node[int], boxes: List[Box[Item]]) -> int:
        raise NotImplementedError

    with pytest.raises(ValueError, match="integer") as caught:
        arguments(run, {"node": {"value": 1, "next": {"value": "x"}}, "boxes": []})
    assert 'input "node": next: value: ' in str(caught.value)
    with pytest.raises(ValueError, match="item 0: item: name: Field required"):
        arguments(run, {"node": {"value": 1}, "boxes": [{"item": {}}]})


def test_union_of_two_fillings_takes_the_one_that_fits() -> None:
    def run(box: Union[Box[int], Box[str]]) -> int:
        raise NotImplementedError

    assert arguments(run, {"box": {"item": "x"}})["box"] == Box("x")
    assert arguments(run, {"box": {"item": 2}})["box"] == Box(2)
    assert type_name(read_signature(run).inputs[0].type) == "Union[Box[int], Box[str]]"


def test_output_is_encoded_as_the_filled_type_says() -> None:
    def run() -> Box[Dict[str, Item]]:
        raise NotImplementedError

    output = read_signature(run).output
    assert type_name(output) == "Box[dict[str, Item]]"
    value = Box({"a": Item("x")})
    assert encode_output(value, output, str) == {"item": {"a": {"name": "x"}}, "more": []}


def test_method_of_a_generic_class_gets_the_types_of_the_class_that_inherits_it() -> None:
    class Base(Generic[T, K]):
        def run(self, value: T, others: List[K]) -> Dict[str, T]:
            raise NotImplementedError

    class Middle(Base[List[K], int], Generic[K]):
        pass

    class Runner(Middle[str]):
        pass

    signature = read_signature(Runner)
    shown = [type_name(item.type) for item in signature.inputs]
    assert shown == ["list[str]", "list[int]"]
    assert type_name(signature.output) == "dict[str, list[str]]"


def test_default_that_cannot_be_evaluated_or_leads_to_itself_is_an_error_of_ours() -> None:
    class Missing:
        __name__ = "T"

        @property
        def __default__(self) -> Any:
            raise NameError("name 'Nope' is not defined")

    with pytest.raises(SignatureError, match=r"default of the type parameter T .*'Nope'"):
        default_of(Missing())


def test_types_that_never_end_are_an_error_of_ours() -> None:
    deep: Any = int
    for _ in range(2000):
        deep = list[deep]

    def run() -> int:
        raise NotImplementedError

    run.__annotations__["return"] = deep
    with pytest.raises(SignatureError, match="nested too deeply"):
        read_signature(run)
