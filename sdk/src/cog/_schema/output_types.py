"""Which annotations an output may have, and what type each stands for.

Beyond upstream, an output may be Optional. A class that contains itself ends in an object of
which nothing is known, so that every type is finite.
"""

from __future__ import annotations

from typing import Any

from cog._schema.errors import SignatureError
from cog._schema.hints import (
    SCALARS,
    Alternatives,
    Hint,
    Known,
    Record,
    Unspecified,
    is_none,
    show,
    without_none,
)
from cog._schema.input_types import opaque_type, unsupported
from cog._schema.types import (
    AnyType,
    DictType,
    FileType,
    IteratorType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
)

_LEAVES: dict[str, Type] = {
    **{name: Scalar(name) for name in SCALARS},
    "Path": PathType(),
    "File": FileType(),
    "Secret": SecretType(),
    "Any": AnyType(),
}

_ITERATORS = ("Iterator", "AsyncIterator")
_CONCATENATE = ("ConcatenateIterator", "AsyncConcatenateIterator")


def output_type(hint: Hint) -> Type:
    """Return the type of an output.

    Raises:
        SignatureError: an annotation that no output can have; ``where`` is the hint's.
    """
    if is_none(hint):
        message = "a model must return something: the return type None is not supported"
        raise SignatureError(message, "Annotate what the method returns.", hint.where)
    if isinstance(hint, Known) and hint.name in _ITERATORS:
        return IteratorType(_value("output", _iterator_item(hint), ()))
    if isinstance(hint, Known) and hint.name in _CONCATENATE:
        item = hint.args[0] if hint.args else Known("str")
        if item != Known("str"):
            message = f"{hint.name} element type must be str, got {show(item)}"
            advice = f"Use Iterator[{show(item)}], whose items are not joined."
            raise SignatureError(message, advice, hint.where)
        return IteratorType(Scalar("str"), concatenate=True)
    return _value("output", hint, ())


def _iterator_item(hint: Known) -> Hint:
    if not hint.args:
        message = "iterator type must have a type argument"
        raise SignatureError(message, f"Write {hint.name}[str], for example.", hint.where)
    return hint.args[0]


def _value(place: str, hint: Hint, inside: tuple[Any, ...]) -> Type:
    """Return the type of a value; ``inside`` holds the keys of the classes around it."""
    if isinstance(hint, Alternatives):
        return _optional(place, hint, inside)
    if isinstance(hint, Unspecified):
        return opaque_type(hint.item)
    if isinstance(hint, Record):
        return _object(hint, inside)
    if not isinstance(hint, Known):
        raise unsupported(place, hint)
    if hint.name in _LEAVES:
        return _LEAVES[hint.name]
    if hint.name == "dict":
        return _dict(place, hint, inside)
    if hint.name == "list":
        return _list(place, hint, inside)
    if hint.name in (*_ITERATORS, *_CONCATENATE):
        message = f"{place}: {show(hint)} is only supported as the whole return type"
        raise SignatureError(message, "Use a list here.", hint.where)
    raise unsupported(place, hint)


def _optional(place: str, hint: Alternatives, inside: tuple[Any, ...]) -> Type:
    members, has_none = without_none(hint)
    if len(members) != 1 or not has_none:
        message = f"{place}: union types are not supported as output: {show(hint)}"
        advice = "Return one type, or a BaseModel with an optional field for each."
        raise SignatureError(message, advice, hint.where)
    inner = _value(place, members[0], inside)
    return inner if isinstance(inner, OptionalType) else OptionalType(inner)


def _list(place: str, hint: Known, inside: tuple[Any, ...]) -> Type:
    if len(hint.args) > 1:
        raise unsupported(place, hint)
    items = [_value(place, item, inside) for item in hint.args] or [AnyType()]
    return ListType(items[0])


def _dict(place: str, hint: Known, inside: tuple[Any, ...]) -> Type:
    if not hint.args:
        return DictType(AnyType())
    if len(hint.args) != 2 or hint.args[0] not in (Known("str"), Known("Any")):
        message = f"{place}: the keys of a dict must be str, as in JSON: {show(hint)}"
        raise SignatureError(message, "Write dict[str, ...].", hint.where)
    return DictType(_value(place, hint.args[1], inside))


def _object(hint: Record, inside: tuple[Any, ...]) -> Type:
    if hint.key in inside:
        return DictType(AnyType())
    fields = tuple(
        ObjectField(
            field.name,
            _value(f"{hint.name}.{field.name}", field.hint, (*inside, hint.key)),
            field.required,
        )
        for field in hint.read_fields()
    )
    return ObjectType(hint.name, fields)
