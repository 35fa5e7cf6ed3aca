"""The types of a model's inputs and outputs, as frozen data.

One type system with two front ends: ``cog._schema.signature`` fills it from a live class,
``cogworks.schema`` from source text. The OpenAPI document, the coercion of inputs and the
encoding of outputs all read this data and nothing else, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union


class _Missing:
    """The type of ``MISSING``: told apart from None, which is a value."""

    def __repr__(self) -> str:
        return "MISSING"


class _Computed:
    """The type of ``COMPUTED``."""

    def __repr__(self) -> str:
        return "COMPUTED"


MISSING = _Missing()
"""Stands where a default would be when there is none."""

COMPUTED = _Computed()
"""Stands where a default would be when the author's code makes one for each prediction."""


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
    """A JSON value of which nothing is known: ``Any``, ``Annotated[T, Opaque]``."""


@dataclass(frozen=True)
class DictType:
    """An object with values of one type: ``dict[str, T]``; of any for a bare ``dict``."""

    value: Type


@dataclass(frozen=True)
class ListType:
    """An array of any length.

    ``container`` is what the model sees: ``list``, ``tuple`` (``tuple[T, ...]``), ``set`` or
    ``frozenset``.
    """

    item: Type
    container: str = "list"


@dataclass(frozen=True)
class TupleType:
    """An array with a type for each place: ``tuple[int, str]``."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class ChoiceType:
    """One of some JSON scalars: ``Literal[...]``, or an enum, whose class is ``name``.

    ``objects`` are what the model sees for ``values``; source text cannot give them.
    """

    values: tuple[Any, ...]
    name: str = ""
    objects: tuple[Any, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class TextType:
    """A text of a known form: ``name`` is one of ``datetime``, ``date``, ``time``, ``UUID``."""

    name: str


@dataclass(frozen=True)
class OptionalType:
    """``T | None``."""

    item: Type


@dataclass(frozen=True)
class UnionType:
    """Several types, in the order of the source; never contains None or a union."""

    members: tuple[Type, ...]


@dataclass(frozen=True)
class ObjectField:
    """One field of an ``ObjectType``; ``required`` unless its class has a default for it.

    ``rules`` is what its ``Input(...)`` says, if it has one.
    """

    name: str
    type: Type
    required: bool = True
    rules: Optional[InputField] = None


@dataclass(frozen=True)
class ObjectType:
    """An object with named fields: a BaseModel, dataclass, pydantic model or TypedDict.

    ``name`` is the class's. ``build`` makes an instance of it; source text cannot give it, and a
    TypedDict has none.
    """

    name: str
    fields: tuple[ObjectField, ...]
    build: Optional[Callable[[dict[str, Any]], Any]] = field(
        default=None, compare=False, repr=False
    )


@dataclass(frozen=True)
class RecursiveType:
    """The ``ObjectType`` of that name around it, so that a class that holds itself is finite."""

    name: str


@dataclass(frozen=True)
class IteratorType:
    """A sequence that is produced piece by piece; ``concatenate`` if its pieces are one text."""

    item: Type
    concatenate: bool = False


Type = Union[
    Scalar,
    PathType,
    FileType,
    SecretType,
    AnyType,
    DictType,
    ListType,
    TupleType,
    ChoiceType,
    TextType,
    OptionalType,
    UnionType,
    ObjectType,
    RecursiveType,
    IteratorType,
]


@dataclass(frozen=True)
class InputField:
    """One input of a model: a parameter of ``run`` and what ``Input(...)`` says of it.

    ``default`` is JSON data, MISSING if the input must be given (or may be null, which then
    stands for it), COMPUTED if ``factory`` makes it; source text cannot give a ``factory``.
    ``ge`` and ``le`` bound numbers, ``min_length``, ``max_length`` and ``regex`` strings,
    ``choices`` strings and numbers; for a list they hold for each item. ``accept`` is a hint
    for file pickers.
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
    factory: Optional[Callable[[], Any]] = field(default=None, compare=False, repr=False)

    @property
    def required(self) -> bool:
        """Whether a client must give it; a union must be given unless it has a default."""
        if self.default is not MISSING:
            return False
        return not isinstance(self.type, OptionalType) or isinstance(self.type.item, UnionType)


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


def type_name(type_: Type) -> str:
    """Return the type as an author writes it: ``Optional[list[str]]``."""
    if isinstance(type_, (OptionalType, IteratorType)):
        return f"{_NAMES[type(type_)]}[{type_name(type_.item)}]"
    if isinstance(type_, ListType):
        rest = ", ..." if type_.container == "tuple" else ""
        return f"{type_.container}[{type_name(type_.item)}{rest}]"
    if isinstance(type_, DictType):
        return "dict" if type_.value == AnyType() else f"dict[str, {type_name(type_.value)}]"
    if isinstance(type_, UnionType):
        return f"Union[{_type_names(type_.members)}]"
    if isinstance(type_, TupleType):
        return f"tuple[{_type_names(type_.items)}]"
    if isinstance(type_, ChoiceType):
        return type_.name or f"Literal[{', '.join(map(repr, type_.values))}]"
    if isinstance(type_, (Scalar, TextType, ObjectType, RecursiveType)):
        return type_.name
    return _NAMES[type(type_)]


def _type_names(types: tuple[Type, ...]) -> str:
    return ", ".join(type_name(type_) for type_ in types)


def parts_of(type_: Type) -> tuple[Type, ...]:
    """Return the types that a type is made of; nothing for a leaf."""
    if isinstance(type_, (OptionalType, ListType, IteratorType)):
        return (type_.item,)
    if isinstance(type_, DictType):
        return (type_.value,)
    if isinstance(type_, UnionType):
        return type_.members
    if isinstance(type_, TupleType):
        return type_.items
    return tuple(f.type for f in type_.fields) if isinstance(type_, ObjectType) else ()


def contains(type_: Type, *kinds: type) -> bool:
    """Tell whether a type is, or has somewhere inside, a type of one of the ``kinds``."""
    return isinstance(type_, kinds) or any(contains(part, *kinds) for part in parts_of(type_))


_NAMES: dict[type, str] = {
    PathType: "Path",
    FileType: "File",
    SecretType: "Secret",
    AnyType: "Any",
    OptionalType: "Optional",
    IteratorType: "Iterator",
}
