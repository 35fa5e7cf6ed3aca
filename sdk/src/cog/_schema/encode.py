"""From what the author's code returns to JSON data.

The declared type decides where it says more than the value (a string for a ``Path`` is a file);
else the value itself does, so that any dataclass, pydantic model or array works undeclared.
A type is compiled once into closures, because this runs for every prediction and item.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from cog._schema.errors import OutputError
from cog._schema.kinds import is_dict, is_list
from cog._schema.plain import Unfit, encode_any, encode_key, fields_of, is_array, is_url
from cog._schema.types import (
    ChoiceType,
    DictType,
    FileType,
    IteratorType,
    ListType,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    TextType,
    TupleType,
    Type,
    UnionType,
    type_name,
)

OnFile = Callable[[Any], Any]
"""Takes a path-like or an open file; what it returns takes the place of the file."""

Warn = Callable[[str], None]
"""Is told, in a sentence, of a value that does not fit its annotation."""

_Encode = Callable[[Any, OnFile], Any]

_PYTHON_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}


def encode_output(value: Any, type_: Type, on_file: OnFile) -> Any:
    """Encode once; whoever does it repeatedly keeps the result of ``compile_encoder``.

    Raises:
        OutputError: JSON cannot hold it.
    """
    return compile_encoder(type_)(value, on_file)


def compile_encoder(type_: Type, warn: Optional[Warn] = None) -> _Encode:
    """Return a function from a value (and ``on_file``) to JSON data.

    The function raises OutputError, with the place in the output, for what JSON cannot hold. A
    value that JSON can hold but does not fit ``type_`` is passed on, and ``warn`` is told.
    """
    encode = _compile(type_, warn or _ignore)
    exact = _PYTHON_TYPES[type_.name] if isinstance(type_, Scalar) else None
    if exact is float:
        exact = None  # NaN must be looked for.

    def encode_root(value: Any, on_file: OnFile) -> Any:
        if type(value) is exact:
            return value
        try:
            return encode(value, on_file)
        except Unfit as unfit:
            raise OutputError(unfit.place("output"), unfit.reason) from None
        except RecursionError:
            reason = "the value contains itself, or is nested too deeply for JSON"
            raise OutputError("output", reason) from None

    return encode_root


def _compile(type_: Type, warn: Warn) -> _Encode:
    if isinstance(type_, Scalar):
        return _compile_scalar(type_, warn)
    if isinstance(type_, (PathType, FileType)):
        return _encode_file
    if isinstance(type_, SecretType):
        return encode_any
    if isinstance(type_, OptionalType):
        inner = _compile(type_.item, warn)
        return lambda value, on_file: None if value is None else inner(value, on_file)
    if isinstance(type_, (ListType, IteratorType)):
        return _compile_list(type_, warn)
    if isinstance(type_, TupleType):
        return _compile_tuple(type_, warn)
    if isinstance(type_, UnionType):
        return _compile_union(type_, warn)
    if isinstance(type_, DictType):
        return _compile_dict(type_, warn)
    if isinstance(type_, ChoiceType):
        return _compile_choice(type_, warn)
    return _compile_object(type_, warn) if isinstance(type_, ObjectType) else encode_any


def _compile_scalar(type_: Scalar, warn: Warn) -> _Encode:
    fitting = (int, float) if type_.name == "float" else (_PYTHON_TYPES[type_.name],)

    def encode_scalar(value: Any, on_file: OnFile) -> Any:
        result = encode_any(value, on_file)
        if type(result) not in fitting:
            _tell(warn, type_, value)
        return result

    return encode_scalar


def _encode_file(value: Any, on_file: OnFile) -> Any:
    if isinstance(value, str) and not is_url(value):
        return on_file(Path(value))
    return encode_any(value, on_file)


def _compile_list(type_: Any, warn: Warn) -> _Encode:
    item_encode = _compile(type_.item, warn)

    def encode_list(value: Any, on_file: OnFile) -> Any:
        # Arrays, generators and sets become lists; what stays something else does not fit.
        items: Any = value if is_array(value) else encode_any(value, on_file)
        if not is_array(items):
            _tell(warn, type_, value)
            return items
        result: list[Any] = []
        for item in items:
            try:
                result.append(item_encode(item, on_file))
            except Unfit as unfit:
                raise unfit.within(f"[{len(result)}]") from None
        return result

    return encode_list


def _compile_tuple(type_: TupleType, warn: Warn) -> _Encode:
    encoders = [_compile(item, warn) for item in type_.items]

    def encode_tuple(value: Any, on_file: OnFile) -> Any:
        items: Any = value if is_array(value) else encode_any(value, on_file)
        items = list(items) if is_array(items) else items
        if not is_list(items) or len(items) != len(encoders):
            _tell(warn, type_, value)
            return encode_any(items, on_file)
        result: list[Any] = []
        for encode, item in zip(encoders, items):
            try:
                result.append(encode(item, on_file))
            except Unfit as unfit:
                raise unfit.within(f"[{len(result)}]") from None
        return result

    return encode_tuple


def _compile_union(type_: UnionType, warn: Warn) -> _Encode:
    """The value says which member it is: by its class's name, or by what JSON makes of it."""
    members = type_.members
    by_name = {item.name: _compile(item, warn) for item in members if isinstance(item, ObjectType)}
    has_file = any(isinstance(item, (PathType, FileType)) for item in members)
    has_text = any(isinstance(item, (ChoiceType, TextType)) for item in members)
    is_file = has_file and not has_text and Scalar("str") not in members
    lists = [_compile(item, warn) for item in members if isinstance(item, (ListType, TupleType))]

    def encode_union(value: Any, on_file: OnFile) -> Any:
        encode = by_name.get(type(value).__name__)
        if encode is None and len(lists) == 1 and is_array(value):
            encode = lists[0]
        if encode is None and is_file and isinstance(value, str):
            encode = _encode_file
        return (encode or encode_any)(value, on_file)

    return encode_union


def _compile_choice(type_: ChoiceType, warn: Warn) -> _Encode:
    def encode_choice(value: Any, on_file: OnFile) -> Any:
        result = encode_any(value, on_file)
        if result not in type_.values:
            _tell(warn, type_, value)
        return result

    return encode_choice


def _compile_dict(type_: DictType, warn: Warn) -> _Encode:
    value_encode = _compile(type_.value, warn)

    def encode_dict(value: Any, on_file: OnFile) -> Any:
        if not is_dict(value):
            result = encode_any(value, on_file)
            if not is_dict(result):
                _tell(warn, type_, value)
            return result
        encoded: dict[str, Any] = {}
        for key, item in value.items():
            name = key if type(key) is str else encode_key(key)
            try:
                encoded[name] = value_encode(item, on_file)
            except Unfit as unfit:
                raise unfit.within(f".{name}") from None
        return encoded

    return encode_dict


def _compile_object(type_: ObjectType, warn: Warn) -> _Encode:
    encoders = {field.name: _compile(field.type, warn) for field in type_.fields}

    def encode_object(value: Any, on_file: OnFile) -> Any:
        fields = fields_of(value)
        if fields is None:
            result = encode_any(value, on_file)
            if not is_dict(result):
                _tell(warn, type_, value)
            return result
        encoded: dict[str, Any] = {}
        for name, item in fields.items():
            try:
                encoded[name] = encoders.get(name, encode_any)(item, on_file)
            except Unfit as unfit:
                raise unfit.within(f".{name}") from None
        return encoded

    return encode_object


def _tell(warn: Warn, type_: Type, value: Any) -> None:
    name = type(value).__name__
    warn(f"the output is annotated as {type_name(type_)}, but the model returned {name}")


def _ignore(message: str) -> None:
    """Stand in for ``warn``."""
