"""The types of a model's inputs and outputs, as frozen data.

One type system with two front ends: ``cog._schema.signature`` fills it from a live class,
``cogworks.schema`` from source text. The OpenAPI document, the coercion of inputs and the
encoding of outputs all read this data and nothing else, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Union


class _Missing:
    """The type of ``MISSING``: told apart from None, which is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""Stands where a default would be when there is none."""


@dataclass(frozen=True)
class Scalar:
    """A JSON scalar: ``name`` is one of ``bool``, ``int``, ``float``, ``str``."""

    name: str


@dataclass(frozen=True)
class PathType:
    """A file that the model sees as ``cog.Path``; a URL on the wire."""


@dataclass(frozen=True)
class FileType:
    """A file that the model sees as an open binary stream (``cog.File``); a URL on the wire."""


@dataclass(frozen=True)
class SecretType:
    """A string that the model sees as ``cog.Secret`` and that is never shown."""


@dataclass(frozen=True)
class AnyType:
    """Any JSON value: ``Any``, a bare ``dict``, ``TypedDict`` as an input, ``Opaque``."""


@dataclass(frozen=True)
class DictType:
    """An object with values of one type: ``dict[str, T]``."""

    value: Type


@dataclass(frozen=True)
class ListType:
    """An array: ``list[T]``."""

    item: Type


@dataclass(frozen=True)
class OptionalType:
    """``T | None``."""

    item: Type


@dataclass(frozen=True)
class UnionType:
    """Several JSON-native types, in the order of the source; never contains None or a union."""

    members: tuple[Type, ...]


@dataclass(frozen=True)
class ObjectField:
    """One field of an ``ObjectType``; ``default`` is JSON data, or MISSING if the field must be given."""

    name: str
    type: Type
    default: Any = MISSING


@dataclass(frozen=True)
class ObjectType:
    """An object with named fields: a BaseModel, dataclass, pydantic model or TypedDict; ``name`` is the class's."""

    name: str
    fields: tuple[ObjectField, ...]


@dataclass(frozen=True)
class IteratorType:
    """A sequence that is produced piece by piece; ``concatenate`` if its pieces are one text."""

    item: Type
    concatenate: bool = False


Type = Union[
    Scalar, PathType, FileType, SecretType, AnyType, DictType, ListType, OptionalType, UnionType, ObjectType, IteratorType
]


@dataclass(frozen=True)
class InputField:
    """One input of a model: a parameter of ``run`` and what ``Input(...)`` says of it.

    ``default`` is JSON data, or MISSING if the input must be given. ``ge`` and ``le`` bound
    numbers, ``min_length``, ``max_length`` and ``regex`` strings, ``choices`` strings and
    integers; for a list they hold for each item. ``accept`` is a hint for file pickers.
    """

    name: str
    type: Type
    default: Any = MISSING
    description: Optional[str] = None
    ge: Optional[float] = None
    le: Optional[float] = None
    min_length: Optional[int] = None
    max_length: Optional[int] = None
    regex: Optional[str] = None
    choices: Optional[tuple[Any, ...]] = None
    deprecated: Optional[bool] = None
    accept: Optional[str] = None


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives: all that clients, the server and the worker must agree on.

    ``mode`` is ``run`` or ``train``; ``concurrency`` the predictions that it may work on at
    once, from ``@concurrent``; ``streaming`` whether the author opted in with ``@streaming``.
    """

    inputs: tuple[InputField, ...]
    output: Type
    mode: str = "run"
    is_async: bool = False
    streaming: bool = False
    concurrency: int = 1
