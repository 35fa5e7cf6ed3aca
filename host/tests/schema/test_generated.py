"""Random signatures: both front ends give the same document, or refuse with the same words."""

from __future__ import annotations

import sys
import types
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cog._schema.coerce import coerce_inputs
from cog._schema.errors import SignatureError
from cog._schema.openapi import document
from cog._schema.signature import read_signature
from cog._schema.types import Signature
from cogworks.schema import SchemaError, analyze

HEADER = """\
import datetime
import enum
import typing
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Generic, Iterator, List, Literal, Optional, Set, Tuple
from typing import TypedDict, TypeVar, Union

import cog as c
from cog import BaseModel, ConcatenateIterator, File, Input, Opaque, Path, Secret

ONE, TWO = 1, "two"


class Point(BaseModel):
    x: int
    label: Optional[str] = None


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = enum.auto()


@dataclass
class Options:
    color: Color
    points: List[Point] = field(default_factory=list)
    ratio: Union[float, Literal["auto"]] = "auto"
    next: "Optional[Options]" = None


class Message(TypedDict, total=False):
    at: datetime.date
    size: Tuple[int, str]


T = TypeVar("T")
K = TypeVar("K")
Many = List[T]
Table = Dict[str, Tuple[Many[K], Optional[T]]]


class Box(BaseModel, Generic[T]):
    item: T
    more: Many[T] = []


class Pair(Box[K], Generic[T, K]):
    left: Union[T, K, None] = None
    box: Optional[Box[List[T]]] = None


@dataclass
class Node(Generic[T]):
    value: T
    table: Table[str, T]


class Numbers(Pair[str, int]):
    extra: bool = False


"""

LEAVES = st.one_of(
    st.sampled_from(
        ["int", "float", "bool", "str", "Path", "c.File", "Secret", "Any", "dict", "Point", "None"]
    ),
    st.sampled_from(
        [
            "Color",
            "Level",
            "Literal['a', 1, True]",
            "Options",
            "Message",
            "datetime.date",
            "Set[int]",
            "Numbers",
            "Box",
            "T",
        ]
    ),
)
# In one order only: ``typing`` caches what it makes, and takes Union[int, str] for Union[str, int].
UNIONS = st.tuples(LEAVES, LEAVES).map(lambda pair: "Union[{}, {}]".format(*sorted(pair)))
ANNOTATIONS = st.recursive(
    LEAVES | UNIONS,
    lambda inner: st.one_of(
        inner.map("List[{}]".format),
        inner.map("Optional[{}]".format),
        inner.map("Dict[str, {}]".format),
        inner.map("typing.Annotated[{}, 'x']".format),
        inner.map("Tuple[{}, ...]".format),
        inner.map("Tuple[int, {}]".format),
        inner.map("FrozenSet[{}]".format),
        st.tuples(inner, inner).map(lambda pair: "Union[{}, {}]".format(*sorted(pair))),
        inner.map("typing.Annotated[{}, Opaque]".format),
        inner.map("Many[{}]".format),
        inner.map("Box[{}]".format),
        inner.map("Node[{}]".format),
        st.tuples(inner, inner).map(lambda pair: "Table[{}, {}]".format(*pair)),
        st.tuples(inner, inner).map(lambda pair: "Pair[{}, {}]".format(*pair)),
    ),
    max_leaves=3,
)
VALUES = st.one_of(
    st.sampled_from(["1", "-2.5", "True", "None", "'a'", "ONE", "TWO + 'x'", "Color.RED"]),
    st.sampled_from(["[]", "[1, ONE]", "['a']", "{'a': 1}", "Level.HIGH"]),
)
DEFAULTS = VALUES | st.sampled_from(
    ["Point(3)", "Options(Color.BLUE)", "[Point(1, label='x')]", "(1, 'a')", "{1, 2}"]
)
LIMITS = ["ge", "le", "min_length", "max_length", "regex", "description"]
ARGUMENTS = st.fixed_dictionaries(
    {}, optional={"default": DEFAULTS, **dict.fromkeys(LIMITS, VALUES)}
).filter(lambda given: len(given) <= 2)
CHOICES = st.sampled_from(["", "choices=[1, 2]", "choices=['a', TWO]", "choices=[ONE] * 3"])
OUTPUTS = st.one_of(
    ANNOTATIONS,
    ANNOTATIONS.map("Iterator[{}]".format),
    ANNOTATIONS.map("ConcatenateIterator[{}]".format),
)


@st.composite
def parameters(draw: st.DrawFn, name: str) -> str:
    """A parameter: its annotation and, mostly, a default of some kind."""
    annotation = draw(ANNOTATIONS)
    kind = draw(st.sampled_from(["none", "plain", "input", "input"]))
    if kind == "none":
        return f"{name}: {annotation}"
    if kind == "plain":
        return f"{name}: {annotation} = {draw(DEFAULTS)}"
    arguments = [f"{key}={value}" for key, value in draw(ARGUMENTS).items()]
    arguments += [text for text in [draw(CHOICES)] if text]
    return f"{name}: {annotation} = Input({', '.join(arguments)})"


@st.composite
def sources(draw: st.DrawFn) -> str:
    """A file with a function ``run``; every parameter after a star, so that any order is valid."""
    count = draw(st.integers(0, 3))
    listed = "".join(f"    {draw(parameters(name))},\n" for name in "abc"[:count])
    star = "    *,\n" if count else ""
    return f"{HEADER}def run(\n{star}{listed}) -> {draw(OUTPUTS)}: ...\n"


def read_static(folder: Path) -> Signature | str:
    """Return the signature, or why there is none."""
    try:
        return analyze(folder, "run.py:run")
    except SchemaError as error:
        return error.reason


def read_live(text: str) -> Signature | str:
    """Return the signature, or why there is none."""
    module = types.ModuleType("generated")
    sys.modules["generated"] = module
    exec(compile(text, "<generated>", "exec", dont_inherit=True), vars(module))
    try:
        return read_signature(module.run)
    except SignatureError as error:
        return str(error)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=sources())
def test_generated_signature_reads_the_same_from_source_and_live(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.py").write_text(text)
    static, live = read_static(tmp_path), read_live(text)
    assert static == live
    if isinstance(live, str) or isinstance(static, str):
        return
    assert document(static, None, "0") == document(live, None, "0")
    if not any(field.required for field in live.inputs):
        assert set(coerce_inputs(live, {})) == {field.name for field in live.inputs}
