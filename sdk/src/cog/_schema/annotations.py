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
from cog._schema.generics import close, close_bare
from cog._schema.hints import (
    INNER_INPUT,
    INNER_INPUT_ADVICE,
    LEADS_TO_ITSELF,
    OF_SEVERAL,
    Foreign,
    Hint,
    Known,
    Record,
    Variable,
    leads_to_itself,
    union,
    unspecified,
)
from cog._schema.live_generics import (
    completed,
    default_of,
    is_alias,
    is_several,
    is_variable,
    names_of,
    parameters_of,
    split,
)
from cog._schema.records import record
from cog._schema.types import MISSING
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

_WRAPPERS = ("Required", "NotRequired", "ReadOnly", "Final")
"""Qualifiers of fields, which ``records`` has read by then."""


class Names:
    """Where the names of string annotations are looked up: a class first, then its module."""

    def __init__(
        self, module: Mapping[str, Any], local: Mapping[str, Any], reading: tuple[Any, ...] = ()
    ) -> None:
        """Look into ``local`` before ``module``; ``reading`` are the aliases around."""
        self._module = dict(module)
        self._local = dict(local)
        self.reading = reading

    @classmethod
    def of_class(cls, owner: type) -> Names:
        """Return the names that the body of ``owner`` sees."""
        names = {owner.__name__: owner, **names_of(owner), **vars(owner)}
        return cls(_module_of(owner), names)

    def of_alias(self, alias: Any) -> Names:
        """Return the names that the value of ``type X[T] = ...`` sees."""
        return Names(_module_of(alias), names_of(alias), (*self.reading, alias))

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
    if is_variable(annotation):
        return _variable(annotation, names)
    if is_several(annotation):
        return Foreign(_text(annotation), OF_SEVERAL)
    if is_alias(annotation):
        return _alias(annotation, (), names)
    filled = split(annotation)
    if filled is not None:
        return _generic(annotation, *filled, names)
    if hasattr(annotation, "__supertype__"):  # ``NewType``
        return read_hint(annotation.__supertype__, names)
    if isinstance(annotation, type):
        return _bare(_class(cast("type[Any]", annotation)))
    return Foreign(_text(annotation))


def read_metadata(annotation: Any, names: Names) -> tuple[Any, ...]:
    """Return what ``Annotated[T, ...]`` holds beside the type; nothing for anything else."""
    if isinstance(annotation, str):
        annotation = names.evaluate(annotation)
    if isinstance(annotation, typing.ForwardRef):
        annotation = names.evaluate(annotation.__forward_arg__)
    alias = annotation if is_alias(annotation) else typing.get_origin(annotation)
    if is_alias(alias) and alias not in names.reading:
        return read_metadata(_value_of(alias), names.of_alias(alias))
    return tuple(getattr(annotation, "__metadata__", ()))


def _generic(annotation: Any, origin: Any, given: tuple[Any, ...], names: Names) -> Hint:
    metadata = getattr(annotation, "__metadata__", None)
    if metadata is not None:
        inner = read_hint(annotation.__origin__, names)
        is_opaque = any(item is Opaque or isinstance(item, Opaque) for item in metadata)
        return unspecified(inner) if is_opaque else inner
    if origin in _LITERALS:
        return literal(given, _text(annotation))
    if is_alias(origin):
        return _alias(origin, given, names)
    if getattr(origin, "__name__", "") == "Callable":
        given = ()  # It holds lists, which are no types.
    name = _known_name(origin)
    if name is None and isinstance(origin, type) and origin not in _UNIONS:
        return _filled_class(annotation, origin, given, names)
    arguments = [_argument(argument, names) for argument in given]
    if origin in _UNIONS:
        return union(arguments)
    if getattr(origin, "_name", None) in _WRAPPERS and arguments:
        return arguments[0]
    return Foreign(_text(annotation)) if name is None else Known(name, tuple(arguments))


def _filled_class(annotation: Any, origin: Any, given: tuple[Any, ...], names: Names) -> Hint:
    """Read ``Box[int]``."""
    template = _class(origin)
    if not isinstance(template, Record):
        return Foreign(_text(annotation)) if isinstance(template, Foreign) else template
    parameters = parameters_of(origin)
    given = completed(parameters, given)
    arguments = tuple(_argument(argument, names) for argument in given)
    objects = dict(zip(parameters, given))
    return close(template, template.name, template.parameters, arguments, objects=objects)


def _bare(hint: Hint) -> Hint:
    """Read ``Box`` alone, whose parameters have their defaults, if they have some."""
    if not isinstance(hint, Record) or not hint.parameters:
        return hint
    given = completed(parameters_of(hint.key), ())
    return close_bare(hint, objects=dict(zip(parameters_of(hint.key), given)))


def _variable(variable: Any, names: Names) -> Variable:
    default = default_of(variable)
    several = is_several(variable)
    read = None if default is MISSING else lambda: read_hint(default, names)
    return Variable(variable.__name__, variable, several, read)


def _alias(alias: Any, given: tuple[Any, ...], names: Names) -> Hint:
    """Read ``type L[T] = list[T]``, or ``L[int]``."""
    name = alias.__name__
    if alias in names.reading:
        return Foreign(name, leads_to_itself(name), LEADS_TO_ITSELF)
    inside = names.of_alias(alias)
    template = read_hint(_value_of(alias), inside)
    parameters = tuple(_variable(item, inside) for item in parameters_of(alias))
    arguments = tuple(_argument(argument, names) for argument in given)
    objects = dict(zip(parameters_of(alias), completed(parameters_of(alias), given)))
    return close(template, name, parameters, arguments, objects=objects)


def _value_of(alias: Any) -> Any:
    try:
        return alias.__value__
    except Exception as error:  # It is evaluated now, and may name what is not there.
        message = f"the alias {alias.__name__} cannot be evaluated: {error}"
        raise SignatureError(message) from error


def _module_of(owner: Any) -> dict[str, Any]:
    module = sys.modules.get(getattr(owner, "__module__", None) or "")
    return vars(module) if module else {}


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


def _class(cls: type[Any]) -> Hint:
    if issubclass(cls, File):
        return Known("File")
    if issubclass(cls, _PATH_LIKE):
        return Known("Path")
    if issubclass(cls, Secret):
        return Known("Secret")
    if issubclass(cls, enum.Enum):
        return enumeration(cls)
    return record(cls, read_in_class, _metadata_in_class) or Foreign(_text(cls))


def read_in_class(annotation: Any, owner: type) -> Hint:
    """Return the hint for an annotation in the body of a class."""
    return read_hint(annotation, Names.of_class(owner))


def _metadata_in_class(annotation: Any, owner: type) -> tuple[Any, ...]:
    return read_metadata(annotation, Names.of_class(owner))


def _text(annotation: Any) -> str:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("NoneType", "None")
