"""From one JSON value to what the author's method gets for it, for every type of inputs."""

from __future__ import annotations

from typing import Any, Callable

from cog._schema.kinds import is_dict, is_list, kind_of
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
    type_name,
)

Convert = Callable[[Any], Any]
"""Returns the argument for a JSON value; raises ValueError with a message that names no input."""

PYTHON_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
"""By the name of a ``Scalar``."""


def compile_type(type_: Type) -> Convert:
    """Return the conversion of values of ``type_``."""
    if isinstance(type_, Scalar):
        return _SCALARS[type_.name]
    if isinstance(type_, (PathType, FileType)):
        return _file
    if isinstance(type_, SecretType):
        return _secret
    if isinstance(type_, OptionalType):
        return nullable(compile_type(type_.item))
    if isinstance(type_, ListType):
        return list_of(compile_type(type_.item))
    if isinstance(type_, DictType):
        return _compile_dict(type_)
    if isinstance(type_, UnionType):
        return _compile_union(type_)
    assert isinstance(type_, AnyType), f"{type_name(type_)} is no input type"
    return _same


def _mismatch(expected: str, value: Any) -> ValueError:
    # The value itself is not shown: it may be a secret, or very long.
    return ValueError(f"expected {expected}, got {_json_name(value)}")


def _json_name(value: Any) -> str:
    return _JSON_NAMES.get(kind_of(value), kind_of(value).__name__)


_JSON_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _same(value: Any) -> Any:
    return value


def _bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise _mismatch("boolean", value)


def _int(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _mismatch("integer", value)


def _float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _mismatch("number", value)
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def _str(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise _mismatch("string", value)


_SCALARS: dict[str, Convert] = {"bool": _bool, "int": _int, "float": _float, "str": _str}


def _file(value: Any) -> Any:
    if isinstance(value, str) or hasattr(value, "__fspath__") or hasattr(value, "read"):
        return value
    raise _mismatch("a file's URL", value)


def _secret(value: Any) -> Any:
    # Imported at the first secret: cog.types brings much that a text model never needs.
    from cog.types import Secret

    if isinstance(value, Secret):
        return value
    return Secret(_str(value))


def nullable(convert: Convert) -> Convert:
    """Let None pass."""
    return lambda value: None if value is None else convert(value)


def list_of(convert: Convert) -> Convert:
    """Convert each item of an array."""

    def convert_list(value: Any) -> Any:
        if not is_list(value):
            raise _mismatch("array", value)
        result: list[Any] = []
        for item in value:
            try:
                result.append(convert(item))
            except ValueError as error:
                raise ValueError(f"item {len(result)}: {error}") from None
        return result

    return convert_list


def _compile_dict(type_: DictType) -> Convert:
    convert = compile_type(type_.value)
    is_plain = isinstance(type_.value, AnyType)

    def convert_dict(value: Any) -> Any:
        if not is_dict(value):
            raise _mismatch("object", value)
        if is_plain:
            return value
        result: dict[str, Any] = {}
        for key, item in value.items():
            try:
                result[key] = convert(item)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        return result

    return convert_dict


def _compile_union(type_: UnionType) -> Convert:
    """The member of the value's own JSON type wins; else the first of the narrowest that fits."""
    members = sorted(type_.members, key=_breadth)
    own = {
        PYTHON_TYPES[member.name]: _SCALARS[member.name]
        for member in members
        if isinstance(member, Scalar)
    }
    converts = [compile_type(member) for member in members]
    names = ", ".join(type_name(member) for member in type_.members)

    def convert_union(value: Any) -> Any:
        convert_own = own.get(kind_of(value))
        if convert_own is not None:
            return convert_own(value)
        for convert in converts:
            try:
                return convert(value)
            except ValueError:
                continue
        raise _mismatch(f"one of {names}", value)

    return convert_union


def _breadth(member: Type) -> int:
    """The order in which upstream tries members: scalars, objects, lists, and anything last."""
    if isinstance(member, Scalar):
        return ("bool", "int", "float", "str").index(member.name)
    if isinstance(member, DictType):
        return 4
    return 5 if isinstance(member, ListType) else 6
