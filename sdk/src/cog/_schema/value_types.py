"""Which types a value may have that is an input, an output, or a part of one.

A class that contains itself ends in a ``RecursiveType``, so that every type is finite.
"""

from __future__ import annotations

from cog._schema.constraints import constrain
from cog._schema.errors import SignatureError
from cog._schema.generics import fields_of
from cog._schema.hints import (
    SCALARS,
    Alternatives,
    Choice,
    FieldHint,
    Foreign,
    Hint,
    Known,
    Record,
    Unspecified,
    Variable,
    not_filled,
    not_filled_advice,
    show,
    without_none,
)
from cog._schema.types import (
    AnyType,
    ChoiceType,
    DictType,
    FileType,
    ListType,
    ObjectField,
    ObjectType,
    OptionalType,
    PathType,
    RecursiveType,
    Scalar,
    SecretType,
    TextType,
    TupleType,
    Type,
    UnionType,
    parts_of,
)

OPAQUE_ADVICE = "Use Annotated[..., Opaque] (from cog import Opaque) for an object of any shape."

_LEAVES: dict[str, Type] = {
    **{name: Scalar(name) for name in SCALARS},
    **{name: TextType(name) for name in ("datetime", "date", "time", "UUID")},
    "Path": PathType(),
    "File": FileType(),
    "Secret": SecretType(),
    "Any": AnyType(),
}

CONCATENATE = ("ConcatenateIterator", "AsyncConcatenateIterator")
ITERATORS = ("Iterator", "AsyncIterator", "Generator", "AsyncGenerator", *CONCATENATE)

_KINDS = {"dataclass": "dataclass", "pydantic": "pydantic model", "TypedDict": "TypedDict"}

_KIND_ADVICE = {
    "dataclass": "Derive the class from cog.BaseModel instead of decorating it.",
    "pydantic": "Use pydantic's own Field(...), or derive the class from cog.BaseModel.",
    "TypedDict": "Derive the class from cog.BaseModel.",
}

MAX_FIELDS = 5_000
"""Of the classes in one type, those inside of others counted wherever they are."""

MAX_ALIKE = 32
"""Of one generic class inside of itself, with other types each time."""

_MAX_LABEL = 80

_FILES_AND_SECRETS = (PathType, FileType, SecretType)
_ELLIPSIS = Known("...")


def opaque_type(hint: Hint) -> Type:
    """Return what is left of a type below ``Annotated[..., Opaque]``: lists and None."""
    members, has_none = without_none(hint)
    inner: Type = AnyType()
    if len(members) == 1 and isinstance(members[0], Known) and members[0].name == "list":
        inner = ListType(AnyType())
    return OptionalType(inner) if has_none else inner


def unsupported(place: str, hint: Hint) -> SignatureError:
    """Return the error for an annotation that ``place`` (an input, or ``output``) cannot have."""
    if isinstance(hint, Foreign) and hint.problem:
        return SignatureError(f"{place}: {hint.problem}", hint.advice, hint.where)
    if isinstance(hint, Variable):
        return SignatureError(f"{place}: {not_filled(hint.name)}", not_filled_advice(), hint.where)
    message = f"{place}: unsupported type {show(hint)}"
    return SignatureError(message, OPAQUE_ADVICE, hint.where)


class ValueTypes:
    """Reads the hints of inputs, or of outputs (``is_input`` is false)."""

    def __init__(self, is_input: bool) -> None:
        """Remember which of the two."""
        self._is_input = is_input
        self._inside: list[Record] = []  # The classes around a field.
        self._fields = 0

    def read(self, place: str, hint: Hint) -> Type:
        """Return the type of the value at ``place``.

        Raises:
            SignatureError: no value can have it; ``where`` is the hint's.
        """
        if isinstance(hint, Alternatives):
            return self._optional_or_union(place, hint)
        if isinstance(hint, Unspecified):
            return opaque_type(hint.item)
        if isinstance(hint, Choice):
            return ChoiceType(hint.values, hint.name, hint.objects)
        if isinstance(hint, Record):
            return self._object(place, hint)
        if isinstance(hint, Variable) and hint.default is not None:
            return self.read(place, hint.default())
        if not isinstance(hint, Known):
            raise unsupported(place, hint)
        if hint.name in _LEAVES and not hint.args:
            return _LEAVES[hint.name]
        return self._container(place, hint)

    def _container(self, place: str, hint: Known) -> Type:
        if hint.name == "dict":
            return self._dict(place, hint)
        if hint.name == "tuple":
            return self._tuple(place, hint)
        if hint.name in ("set", "frozenset"):
            return self._set(place, hint)
        if hint.name == "list" and len(hint.args) <= 1:
            return ListType(self._item(place, hint))
        if hint.name in ITERATORS and not self._is_input:
            # Inside of something else it would be a list by the time that a client sees it.
            message = f"{place}: {show(hint)} is only supported as the whole return type"
            raise SignatureError(message, "Use a list here.", hint.where)
        raise unsupported(place, hint)

    def _item(self, place: str, hint: Known) -> Type:
        return self.read(place, hint.args[0]) if hint.args else AnyType()

    def _optional_or_union(self, place: str, hint: Alternatives) -> Type:
        members, has_none = without_none(hint)
        if len(members) == 1:
            inner = self.read(place, members[0])
            # Annotated[T | None, Opaque] | None is nullable once.
            return inner if isinstance(inner, OptionalType) else OptionalType(inner)
        union = UnionType(tuple(self._member(place, member) for member in members))
        return OptionalType(union) if has_none else union

    def _member(self, place: str, hint: Hint) -> Type:
        type_ = self.read(place, hint)
        inner = type_.item if isinstance(type_, (ListType, OptionalType)) else type_
        # What a client sends for a file is a string: which member it is for cannot be told.
        if self._is_input and isinstance(inner, _FILES_AND_SECRETS):
            message = (
                f"{place}: unsupported union member: {show(hint)} is not supported in union inputs"
            )
            advice = "Make it an input of its own, or annotate this one as str."
            raise SignatureError(message, advice, hint.where)
        return type_

    def _dict(self, place: str, hint: Known) -> Type:
        if not hint.args:
            return DictType(AnyType())
        if len(hint.args) != 2 or hint.args[0] not in (Known("str"), Known("Any")):
            message = f"{place}: the keys of a dict must be str, as in JSON: {show(hint)}"
            raise SignatureError(message, "Write dict[str, ...].", hint.where)
        return DictType(self.read(place, hint.args[1]))

    def _tuple(self, place: str, hint: Known) -> Type:
        if not hint.args:
            return ListType(AnyType(), "tuple")
        if len(hint.args) == 2 and hint.args[1] == _ELLIPSIS:
            return ListType(self.read(place, hint.args[0]), "tuple")
        return TupleType(tuple(self.read(place, item) for item in hint.args))

    def _set(self, place: str, hint: Known) -> Type:
        if len(hint.args) != 1:
            message = f"{place}: {show(hint)} does not say what its items are"
            raise SignatureError(message, f"Write {hint.name}[str], for example.", hint.where)
        item = self._item(place, hint)
        if not _is_hashable(item):
            message = f"{place}: the items of a set must be hashable: {show(hint)}"
            raise SignatureError(message, "Use a list.", hint.where)
        return ListType(item, hint.name)

    def _object(self, place: str, hint: Record) -> Type:
        alike = [record for record in self._inside if record.key == hint.key]
        if any(record.args == hint.args for record in alike):
            return RecursiveType(_label(hint))
        if len(alike) >= MAX_ALIKE:
            count = f"more than {MAX_ALIKE} different types"
            message = f"{place}: {hint.name} contains itself with {count}"
            raise SignatureError(message, "Let it contain itself with the same types.", hint.where)
        self._inside.append(hint)
        try:
            fields = tuple(
                self._field(hint, field)
                for field in fields_of(hint)
                if field.is_input or not self._is_input
            )
        finally:
            self._inside.pop()
        return ObjectType(_label(hint), fields, hint.build)

    def _field(self, owner: Record, field: FieldHint) -> ObjectField:
        place = f"{_label(owner)}.{field.name}"
        self._fields += 1
        if self._fields > MAX_FIELDS:
            message = (
                f"{place}: the classes inside of each other have more than {MAX_FIELDS} fields"
            )
            raise SignatureError(message, OPAQUE_ADVICE, owner.where)
        type_ = self.read(place, field.hint)
        if field.given is None:
            return ObjectField(field.name, type_, field.required)
        if owner.kind != "BaseModel":
            message = f"{place}: Input(...) has no effect on a field of a {_KINDS[owner.kind]}"
            raise SignatureError(message, _KIND_ADVICE[owner.kind], field.hint.where)
        rules = constrain(place, type_, field.given)
        return ObjectField(field.name, rules.type, field.required, rules)


def _label(record: Record) -> str:
    text = show(record)
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…"


def _is_hashable(type_: Type) -> bool:
    if isinstance(type_, (AnyType, DictType, ObjectType, RecursiveType)):
        return False
    if isinstance(type_, ListType) and type_.container in ("list", "set"):
        return False
    return all(_is_hashable(part) for part in parts_of(type_))
