"""Generic classes and aliases of the author's source; ``fixtures`` hold the documents."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from cog._schema.coerce import coerce_inputs
from cog._schema.signature import read_signature
from cog._schema.types import Signature, type_name
from cogworks.schema import SchemaError, analyze
from cogworks.schema.generics import arguments_of

from .authors import SIGNATURES, import_file

HEADER = """\
from typing import Dict, Generic, List, Optional, TypeVar
from typing import TypeVar as V
from cog import BaseModel
T = TypeVar("T")
"""


def read(folder: Path, text: str) -> Signature:
    (folder / "run.py").write_text(HEADER + text, encoding="utf-8")
    return analyze(folder, "run.py:run")


def outputs(folder: Path, text: str, *annotations: str) -> list[str]:
    """Return the types that annotations stand for after ``text``."""
    found = [read(folder, f"{text}\ndef run() -> {item}: ...\n") for item in annotations]
    return [type_name(signature.output) for signature in found]


def test_alias_of_another_module_is_filled_in_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(
        "from typing import *\nimport cog\nT = TypeVar('T')\nMany = List[T]\n"
        "class Box(cog.BaseModel, Generic[T]):\n    items: Many[T]\n",
        encoding="utf-8",
    )
    text = "import shapes\nfrom shapes import Box as B"
    found = outputs(tmp_path, text, "shapes.Many[int]", "B[str]", "List[shapes.Box[B[int]]]")
    assert found == ["list[int]", "Box[str]", "list[Box[Box[int]]]"]


def test_alias_of_a_filled_class_can_be_a_base(tmp_path: Path) -> None:
    text = (
        "class Box(BaseModel, Generic[T]):\n    item: T\n"
        "Ints = Box[int]\nclass Large(Ints):\n    size: str\n"
        "def run(large: Large) -> int: ...\n"
    )
    (field,) = read(tmp_path, text).inputs
    assert [(item.name, type_name(item.type)) for item in getattr(field.type, "fields")] == [  # noqa: B009
        ("item", "int"),
        ("size", "str"),
    ]


def test_parameters_of_an_alias_are_those_that_it_uses_in_order(tmp_path: Path) -> None:
    text = "A = V('A')\nB = V('B')\nX = Dict[str, Optional[List[B]]]\nY = Dict[str, X[A]]"
    assert outputs(tmp_path, text, "X[int]", "Y[bool]") == [
        "dict[str, Optional[list[int]]]",
        "dict[str, dict[str, Optional[list[bool]]]]",
    ]


def test_alias_may_be_filled_in_steps(tmp_path: Path) -> None:
    text = "U = TypeVar('U')\nMap = Dict[T, U]\nMany = List[T]"
    assert outputs(tmp_path, text, "Map[str, U][int]", "Many[Map[T, U]][str, bool]") == [
        "dict[str, int]",
        "list[dict[str, bool]]",
    ]


def test_newer_syntax_is_understood_under_every_python(tmp_path: Path) -> None:
    text = "type L[T] = list[T]\ntype D[\n    K,\n    V = L[K],\n] = dict[str, tuple[K, V]]"
    assert outputs(tmp_path, text, "L[L[int]]", "D[int]", "D[int, str]") == [
        "list[list[int]]",
        "dict[str, tuple[int, list[int]]]",
        "dict[str, tuple[int, str]]",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("type N[T] = T | N[list[T]]\ndef run() -> N[int]: ...", "the alias N leads to itself"),
        ("type N = list[N]\ndef run() -> N: ...", "the alias N leads to itself"),
        ("type L[T] = list[T]\ndef run() -> L: ...", "nothing fills in the type parameter T"),
        ("type L[T] = list[T]\ndef run() -> L[int, str]: ...", "L[int, str] does not fit"),
        ("type M[*Ts] = tuple[*Ts]\ndef run() -> M[int]: ...", "several types"),
        ("type P[**Q] = list\ndef run() -> P[[int]]: ...", "several types"),
        ("def run() -> int[str]: ...", "unsupported type int[str]"),
        ("def run() -> T[int]: ...", "unsupported type T[int]"),
        ("def run[U](x: U[int]) -> int: ...", "unsupported type U[int]"),
        ("def run[T](x: T) -> int: ...", "nothing fills in the type parameter T"),
        ("L = list[T]\ndef run() -> L[Missing]: ...", "cannot resolve type 'Missing'"),
    ],
)
def test_what_cannot_be_filled_in_is_an_error_with_its_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, text)
    assert problem in caught.value.reason
    assert caught.value.line > len(HEADER.splitlines())
    assert "^" in str(caught.value)


def test_class_that_holds_itself_through_an_alias_is_finite(tmp_path: Path) -> None:
    text = (
        "type Kids[T] = list[Node[T]]\nclass Node[T](BaseModel):\n    value: T\n"
        "    kids: Kids[T] = []\n"
    )
    assert outputs(tmp_path, text, "Node[int]") == ["Node[int]"]


def test_arguments_of_a_subscript() -> None:
    one, two = ast.parse("A[b]"), ast.parse("A[b, c]")
    nodes: list[Any] = [one.body[0], two.body[0]]
    assert [len(arguments_of(node.value)) for node in nodes] == [1, 2]


def test_pydantic_models_are_made_as_the_class_that_pydantic_has_for_the_filled_type() -> None:
    pydantic = pytest.importorskip("pydantic")
    if pydantic.VERSION.startswith("1."):
        pytest.skip("the fixture is about pydantic 2")
    module = import_file(SIGNATURES / "generic_pydantic_two.py")
    made = coerce_inputs(
        read_signature(module.Runner),
        {
            "number": {"item": 1},
            "text": {"item": "x"},
            "box": {"item": 2},
            "nested": {"box": {"item": [1]}, "named": {"a": {"item": 3}}},
            "boxes": [{"item": {"item": 4}}],
            "ours": {"box": {"item": 5}},
        },
    )
    assert type(made["number"]) is module.Box[int]
    assert type(made["nested"].named["a"]) is module.Box[int]
    assert type(made["boxes"][0].item) is module.Box[int]
    assert type(made["ours"].box) is module.Box[float]
    assert made["ours"].box.item == 5.0
