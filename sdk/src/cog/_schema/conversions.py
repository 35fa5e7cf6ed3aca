"""From one JSON value to what the author's method gets for it, for every type of inputs."""

from __future__ import annotations

from typing import Any, Callable, Optional

from cog._schema.checks import Check, compile_checks
from cog._schema.kinds import is_dict, is_list, kind_of
from cog._schema.scalars import PYTHON_TYPES, SCALARS, Convert, choice_of, mismatch, text_of
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
    type_name,
)

OpenFile = Callable[[Type, Any], Any]
"""Returns the open file, or the path, for the value of a ``FileType`` or ``PathType``."""

_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}


def compile_type(type_: Type, open_file: Optional[OpenFile] = None, build: bool = True) -> Convert:
    """Return the conversion of values of ``type_``.

    Args:
        type_: of an input, or a part of one.
        open_file: gets the values of files; without it they stay what they are, URLs.
        build: whether instances of the author's classes, tuples and sets are made; without it
            the conversion only tells whether a value fits.
    """
    return _Compiler(open_file, build).compile(type_)


def compile_checked(type_: Type, checks: list[Check]) -> Convert:
    """Return the conversion of a type whose innermost values are checked as well."""
    return _Compiler(None, True).checked(type_, checks)


class _Compiler:
    def __init__(self, open_file: Optional[OpenFile], build: bool) -> None:
        self._open_file = open_file
        self._build = build
        self._around: dict[str, Convert] = {}  # The conversions of the classes around a field.

    def compile(self, type_: Type) -> Convert:
        if isinstance(type_, Scalar):
            return SCALARS[type_.name]
        if isinstance(type_, (PathType, FileType)):
            return self._file(type_)
        if isinstance(type_, SecretType):
            return _secret
        if isinstance(type_, TextType):
            return text_of(type_.name)
        if isinstance(type_, ChoiceType):
            return choice_of(type_.values, type_.objects)
        if isinstance(type_, OptionalType):
            return nullable(self.compile(type_.item))
        if isinstance(type_, RecursiveType):
            return self._around[type_.name]
        return self._compound(type_)

    def _compound(self, type_: Type) -> Convert:
        if isinstance(type_, ListType):
            return list_of(self.compile(type_.item), type_.container if self._build else "list")
        if isinstance(type_, TupleType):
            return self._tuple(type_)
        if isinstance(type_, DictType):
            return self._dict(type_)
        if isinstance(type_, ObjectType):
            return self._object(type_)
        if isinstance(type_, UnionType):
            return self._union(type_)
        assert isinstance(type_, AnyType), f"{type_name(type_)} is no input type"
        return _same

    def _file(self, type_: Type) -> Convert:
        open_file = self._open_file
        if open_file is None:
            return _file
        return lambda value: open_file(type_, value)

    def _tuple(self, type_: TupleType) -> Convert:
        converts = [self.compile(item) for item in type_.items]

        def convert_tuple(value: Any) -> Any:
            if not is_list(value):
                raise mismatch("array", value)
            if len(value) != len(converts):
                raise ValueError(f"must have {len(converts)} items, got {len(value)}")
            return tuple(
                _convert_part(f"item {index}", convert, item)
                for index, (convert, item) in enumerate(zip(converts, value))
            )

        return convert_tuple

    def _dict(self, type_: DictType) -> Convert:
        convert = self.compile(type_.value)
        is_plain = isinstance(type_.value, AnyType)

        def convert_dict(value: Any) -> Any:
            if not is_dict(value):
                raise mismatch("object", value)
            if is_plain:
                return value
            return {key: _convert_part(key, convert, item) for key, item in value.items()}

        return convert_dict

    def _object(self, type_: ObjectType) -> Convert:
        outer = self._around
        self._around = {**outer, type_.name: lambda value: convert_object(value)}
        fields = [(field.name, field.required, self._field(field)) for field in type_.fields]
        self._around = outer
        build = type_.build if self._build else None

        def convert_object(value: Any) -> Any:
            if not is_dict(value):
                raise mismatch("object", value)
            result: dict[str, Any] = dict(value)
            for name, required, convert in fields:
                if name in value:
                    result[name] = _convert_part(name, convert, value[name])
                elif required:
                    raise ValueError(f"{name}: Field required")
            return result if build is None else _built(build, result)

        return convert_object

    def _field(self, field: ObjectField) -> Convert:
        checks = compile_checks(field.rules) if field.rules is not None else []
        return self.checked(field.type, checks)

    def checked(self, type_: Type, checks: list[Check]) -> Convert:
        """Compile a type whose innermost values (of a list: its items) are checked as well."""
        if not checks:
            return self.compile(type_)
        if isinstance(type_, OptionalType):
            return nullable(self.checked(type_.item, checks))
        if isinstance(type_, ListType):
            container = type_.container if self._build else "list"
            return list_of(self.checked(type_.item, checks), container)
        convert = self.compile(type_)

        def convert_and_check(value: Any) -> Any:
            value = convert(value)
            for check in checks:
                check(value)
            return value

        return convert_and_check

    def _union(self, type_: UnionType) -> Convert:
        """The member of the value's own JSON type wins; else the most specific that fits."""
        members = sorted(type_.members, key=_breadth)
        own = {
            PYTHON_TYPES[member.name]: SCALARS[member.name]
            for member in members
            if isinstance(member, Scalar)
        }
        if any(isinstance(member, (ChoiceType, TextType)) for member in members):
            own = {}  # They are more specific than the scalar that they are written as.
        converts = [self.compile(member) for member in members]
        known = [_field_names(member) for member in members]
        names = ", ".join(type_name(member) for member in type_.members)

        def convert_union(value: Any) -> Any:
            convert_own = own.get(kind_of(value))
            if convert_own is not None:
                return convert_own(value)
            for convert in _by_known_names(value, converts, known):
                try:
                    return convert(value)
                except ValueError:
                    continue
            raise mismatch(f"one of {names}", value)

        return convert_union


def _built(build: Callable[[dict[str, Any]], Any], values: dict[str, Any]) -> Any:
    try:
        return build(values)
    except ValueError as error:
        problems = getattr(error, "errors", None)
        if not callable(problems):
            raise
        # Pydantic's own text quotes the values, which may be secret.
        found: Any = problems()
        shown = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found]
        raise ValueError("; ".join(shown)) from None


def _convert_part(step: Any, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except ValueError as error:
        raise ValueError(f"{step}: {error}") from None


def _same(value: Any) -> Any:
    return value


def _file(value: Any) -> Any:
    if isinstance(value, str) or hasattr(value, "__fspath__") or hasattr(value, "read"):
        return value
    raise mismatch("a file's URL", value)


def _secret(value: Any) -> Any:
    # Imported at the first secret: cog.types brings much that a text model never needs.
    from cog.types import Secret

    if isinstance(value, Secret):
        return value
    return Secret(SCALARS["str"](value))


def nullable(convert: Convert) -> Convert:
    """Let None pass."""
    return lambda value: None if value is None else convert(value)


def list_of(convert: Convert, container: str = "list") -> Convert:
    """Convert each item of an array; the result is a ``container``."""
    make = _CONTAINERS.get(container)

    def convert_list(value: Any) -> Any:
        if not is_list(value):
            raise mismatch("array", value)
        result: list[Any] = []
        for item in value:
            try:
                result.append(convert(item))
            except ValueError as error:
                raise ValueError(f"item {len(result)}: {error}") from None
        return result if make is None else make(result)

    return convert_list


_BREADTHS: dict[type, int] = {
    ChoiceType: 0,
    TextType: 1,
    Scalar: 2,
    TupleType: 3,
    ObjectType: 4,
    RecursiveType: 4,
    DictType: 5,
    ListType: 6,
}


def _breadth(member: Type) -> tuple[int, int]:
    """The order in which members are tried: scalars as upstream does, and anything last."""
    narrow = ("bool", "int", "float", "str").index(member.name) if isinstance(member, Scalar) else 0
    return _BREADTHS.get(type(member), 7), narrow


def _field_names(member: Type) -> frozenset[str]:
    fields = member.fields if isinstance(member, ObjectType) else ()
    return frozenset(field.name for field in fields)


def _by_known_names(
    value: Any, converts: list[Convert], known: list[frozenset[str]]
) -> list[Convert]:
    """Of several classes, the one that knows the most of the names in the value comes first."""
    if not is_dict(value) or sum(map(bool, known)) < 2:
        return converts
    names = frozenset(value)
    # The sort is stable: what is no class stays where it is relative to those that know nothing.
    order = sorted(range(len(converts)), key=lambda index: -len(names & known[index]))
    return [converts[index] for index in order]
