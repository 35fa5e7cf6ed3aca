"""From the annotation objects of the running interpreter to hints.

Strings (``from __future__ import annotations``, forward references) are evaluated in the module
that holds them; ``typing.get_type_hints`` would not do, for it makes a parameter optional whose
default is None. Under Python 3.9 ``int | None`` in a string is understood too.
"""

from __future__ import annotations

import collections.abc
import datetime
import enum
import os
import sys
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Any, Optional, Union, cast

from cog._schema.choices import enumeration, literal
from cog._schema.errors import SignatureError
from cog._schema.forward import evaluate
from cog._schema.hints import (
    FILLED_IN_ADVICE,
    INNER_INPUT,
    INNER_INPUT_ADVICE,
    Foreign,
    Hint,
    Known,
    filled_in,
    union,
    unspecified,
)
from cog._schema.records import record
from cog.file import File
from cog.input import FieldInfo
from cog.iterators import AsyncConcatenateIterator, ConcatenateIterator
from cog.opaque import Opaque
from cog.secret import Secret

_PATH_LIKE: type[Any] = os.PathLike

_LITERALS = (typing.Literal, getattr(sys.modules.get("typing_extensions"), "Literal", None))

_UNIONS = (Union, getattr(types, "UnionType", Union))

_KNOWN: dict[Any, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    None: "None",
    type(None): "None",
    Any: "Any",
    dict: "dict",
    typing.Dict: "dict",
    collections.abc.Mapping: "dict",
    collections.abc.MutableMapping: "dict",
    list: "list",
    typing.List: "list",
    collections.abc.Sequence: "list",
    collections.abc.MutableSequence: "list",
    tuple: "tuple",
    typing.Tuple: "tuple",
    set: "set",
    typing.Set: "set",
    collections.abc.Set: "set",
    collections.abc.MutableSet: "set",
    frozenset: "frozenset",
    typing.FrozenSet: "frozenset",
    Ellipsis: "...",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    uuid.UUID: "UUID",
    collections.abc.Iterator: "Iterator",
    collections.abc.AsyncIterator: "AsyncIterator",
    collections.abc.Generator: "Generator",
    collections.abc.AsyncGenerator: "AsyncGenerator",
    ConcatenateIterator: "ConcatenateIterator",
    AsyncConcatenateIterator: "AsyncConcatenateIterator",
    Secret: "Secret",
}

_TYPING_NAMES = (
    "Mapping",
    "MutableMapping",
    "Sequence",
    "MutableSequence",
    "AbstractSet",
    "MutableSet",
    "Iterator",
    "AsyncIterator",
    "Generator",
    "AsyncGenerator",
)
for _name in _TYPING_NAMES:
    _KNOWN[getattr(typing, _name)] = _KNOWN[typing.get_origin(getattr(typing, _name))]

_WRAPPERS = ("Required", "NotRequired", "ReadOnly")
"""Qualifiers of TypedDict fields, which ``records`` has read by then."""


class Names:
    """Where the names of string annotations are looked up: a class first, then its module."""

    def __init__(self, module: Mapping[str, Any], local: Mapping[str, Any]) -> None:
        """Look into ``local`` before ``module``."""
        self._module = dict(module)
        self._local = dict(local)

    @classmethod
    def of_class(cls, owner: type) -> Names:
        """Return the names that the body of ``owner`` sees."""
        module = sys.modules.get(owner.__module__)
        names = {owner.__name__: owner, **vars(owner)}
        return cls(vars(module) if module else {}, names)

    def evaluate(self, text: str) -> Any:
        """Return the object that an annotation in a string stands for.

        Raises:
            SignatureError: a name is not there, or it is no expression.
        """
        try:
            return evaluate(text, self._module, self._local)
        except Exception as error:
            # Only names that exist when the module runs can be found here.
            message = f"the annotation {text!r} cannot be evaluated: {error}"
            raise SignatureError(message) from error


def read_hint(annotation: Any, names: Names) -> Hint:
    """Return the hint for an annotation.

    Raises:
        SignatureError: a string in it cannot be evaluated.
    """
    if isinstance(annotation, str):
        return read_hint(names.evaluate(annotation), names)
    if isinstance(annotation, typing.ForwardRef):
        return read_hint(names.evaluate(annotation.__forward_arg__), names)
    name = _known_name(annotation)
    if name is not None:
        return Known(name)
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _generic(annotation, origin, names)
    if type(annotation).__name__ == "TypeAliasType":  # ``type X = ...``
        return read_hint(annotation.__value__, names)
    if hasattr(annotation, "__supertype__"):  # ``NewType``
        return read_hint(annotation.__supertype__, names)
    if isinstance(annotation, type):
        return _class(cast("type[Any]", annotation))
    return Foreign(_text(annotation))


def read_metadata(annotation: Any, names: Names) -> tuple[Any, ...]:
    """Return what ``Annotated[T, ...]`` holds beside the type; nothing for anything else."""
    if isinstance(annotation, str):
        annotation = names.evaluate(annotation)
    if isinstance(annotation, typing.ForwardRef):
        annotation = names.evaluate(annotation.__forward_arg__)
    if type(annotation).__name__ == "TypeAliasType":
        return read_metadata(annotation.__value__, names)
    return tuple(getattr(annotation, "__metadata__", ()))


def _generic(annotation: Any, origin: Any, names: Names) -> Hint:
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None:
        inner = read_hint(annotation.__origin__, names)
        is_opaque = any(item is Opaque or isinstance(item, Opaque) for item in metadata)
        return unspecified(inner) if is_opaque else inner
    if origin in _LITERALS:
        return literal(typing.get_args(annotation), _text(annotation))
    arguments = [_argument(argument, names) for argument in _arguments(annotation)]
    if origin in _UNIONS:
        return union(arguments)
    if getattr(origin, "_name", None) in _WRAPPERS:
        return arguments[0]
    name = _known_name(origin)
    if name is not None:
        return Known(name, tuple(arguments))
    if isinstance(read_hint(origin, names), Foreign):
        return Foreign(_text(annotation))
    text = _text(annotation)
    module = f"{origin.__module__}."
    text = text[len(module) :] if text.startswith(module) else text
    return Foreign(text, filled_in(text), FILLED_IN_ADVICE)


def _argument(argument: Any, names: Names) -> Hint:
    hint = read_hint(argument, names)
    metadata: tuple[Any, ...] = ()
    if not isinstance(hint, Foreign):
        metadata = read_metadata(argument, names)
    if any(isinstance(item, FieldInfo) for item in metadata):
        return Foreign(_text(argument), INNER_INPUT, INNER_INPUT_ADVICE)
    return hint


def _known_name(annotation: Any) -> Optional[str]:
    try:
        return _KNOWN.get(annotation)
    except TypeError:  # Metadata of Annotated that cannot be hashed, for example.
        return None


def _arguments(annotation: Any) -> tuple[Any, ...]:
    # ``Callable`` holds lists, which are no types.
    if getattr(typing.get_origin(annotation), "__name__", "") == "Callable":
        return ()
    return typing.get_args(annotation)


def _class(cls: type[Any]) -> Hint:
    if issubclass(cls, File):
        return Known("File")
    if issubclass(cls, _PATH_LIKE):
        return Known("Path")
    if issubclass(cls, Secret):
        return Known("Secret")
    if issubclass(cls, enum.Enum):
        return enumeration(cls)
    return record(cls, _read_in_class, _metadata_in_class) or Foreign(_text(cls))


def _read_in_class(annotation: Any, owner: type) -> Hint:
    return read_hint(annotation, Names.of_class(owner))


def _metadata_in_class(annotation: Any, owner: type) -> tuple[Any, ...]:
    return read_metadata(annotation, Names.of_class(owner))


def _text(annotation: Any) -> str:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("NoneType", "None")
