"""Which annotations an input may have, and what type each stands for.

Refused on purpose, as upstream does: lists of lists or optionals, files and secrets in unions.
"""

from __future__ import annotations

from cog._schema.errors import SignatureError
from cog._schema.hints import (
    SCALARS,
    Alternatives,
    Foreign,
    Hint,
    Known,
    Record,
    Unspecified,
    show,
    without_none,
)
from cog._schema.types import (
    AnyType,
    DictType,
    FileType,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
    UnionType,
)

OPAQUE_ADVICE = "Use Annotated[..., Opaque] (from cog import Opaque) for an object of any shape."

_LEAVES: dict[str, Type] = {
    **{name: Scalar(name) for name in SCALARS},
    "Path": PathType(),
    "File": FileType(),
    "Secret": SecretType(),
    "Any": AnyType(),
}

_FILES_AND_SECRETS = (PathType, FileType, SecretType)


def input_type(name: str, hint: Hint) -> Type:
    """Return the type of the input ``name``.

    Raises:
        SignatureError: an annotation that no input can have; ``where`` is the hint's.
    """
    if isinstance(hint, Alternatives):
        return _optional_or_union(name, hint)
    return _single(name, hint)


def opaque_type(hint: Hint) -> Type:
    """Return what is left of a type below ``Annotated[..., Opaque]``: lists and None."""
    members, has_none = without_none(hint)
    inner: Type = AnyType()
    if len(members) == 1 and isinstance(members[0], Known) and members[0].name == "list":
        inner = ListType(AnyType())
    return OptionalType(inner) if has_none else inner


def unsupported(name: str, hint: Hint) -> SignatureError:
    """Return the error for an annotation that ``name`` (an input, or ``output``) cannot have."""
    if isinstance(hint, Foreign) and hint.problem:
        return SignatureError(f"{name}: {hint.problem}", hint.advice, hint.where)
    message = f"{name}: unsupported type {show(hint)}"
    return SignatureError(message, OPAQUE_ADVICE, hint.where)


def _optional_or_union(name: str, hint: Alternatives) -> Type:
    members, has_none = without_none(hint)
    if len(members) == 1:
        inner = _single(name, members[0])
        # Annotated[T | None, Opaque] | None is nullable once.
        return inner if isinstance(inner, OptionalType) else OptionalType(inner)
    union = UnionType(tuple(_member(name, member) for member in members))
    return OptionalType(union) if has_none else union


def _member(name: str, hint: Hint) -> Type:
    type_ = _single(name, hint)
    inner = type_.item if isinstance(type_, ListType) else type_
    if isinstance(inner, _FILES_AND_SECRETS):
        message = f"{name}: unsupported union member: {show(hint)} is not supported in union inputs"
        advice = "Make it an input of its own, or annotate this one as str."
        raise SignatureError(message, advice, hint.where)
    return type_


def _single(name: str, hint: Hint) -> Type:
    if isinstance(hint, Unspecified):
        return opaque_type(hint.item)
    if isinstance(hint, Record) and hint.kind == "TypedDict":
        return DictType(AnyType())
    if not isinstance(hint, Known):
        raise unsupported(name, hint)
    if hint.name in _LEAVES:
        return _LEAVES[hint.name]
    if hint.name == "dict":
        return _dict(name, hint)
    if hint.name == "list":
        return _list(name, hint)
    raise unsupported(name, hint)


def _dict(name: str, hint: Known) -> Type:
    if not hint.args:
        return DictType(AnyType())
    if len(hint.args) != 2 or hint.args[0] not in (Known("str"), Known("Any")):
        message = f"{name}: the keys of a dict must be str, as in JSON: {show(hint)}"
        raise SignatureError(message, "Write dict[str, ...].", hint.where)
    value = input_type(name, hint.args[1])
    if isinstance(value, _FILES_AND_SECRETS):
        message = f"{name}: {show(hint.args[1])} is not supported in a dict"
        raise SignatureError(message, "Make it an input of its own.", hint.where)
    return DictType(value)


def _list(name: str, hint: Known) -> Type:
    if not hint.args:
        return ListType(AnyType())
    if len(hint.args) != 1:
        raise unsupported(name, hint)
    item = hint.args[0]
    if isinstance(item, Alternatives):
        message = f"{name}: nested generics like {show(hint)} are not supported"
        raise SignatureError(message, "Give the items one type that is not optional.", item.where)
    if isinstance(item, Known) and item.name == "list":
        message = f"{name}: List cannot have nested type {show(item)}"
        advice = "Annotate it as Annotated[list, Opaque], or flatten the list."
        raise SignatureError(message, advice, item.where)
    return ListType(_single(name, item))
