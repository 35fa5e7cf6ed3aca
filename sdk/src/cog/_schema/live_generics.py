"""Type parameters and what they are filled with, as the running interpreter shows them.

``typing``, ``typing_extensions`` and both pydantics keep them in different places; pydantic's
``Box[int]`` is a class of its own.
"""

from __future__ import annotations

import sys
import typing
from typing import Any, Optional

from cog._schema.errors import SignatureError
from cog._schema.generics import model_of, substitute
from cog._schema.types import MISSING

_SEVERAL = ("TypeVarTuple", "ParamSpec", "Unpack")


def is_variable(annotation: Any) -> bool:
    """Tell whether it is a type parameter: the ``T`` of ``class Box[T]``, ``*Ts`` and ``**P`` too."""
    return isinstance(annotation, typing.TypeVar) or _kind(annotation) in (
        "TypeVarTuple",
        "ParamSpec",
    )


def is_several(annotation: Any) -> bool:
    """Tell whether it stands for several types."""
    return _kind(annotation) in _SEVERAL or getattr(annotation, "__unpacked__", False) is True


def is_alias(annotation: Any) -> bool:
    """Tell whether it was made by ``type X = ...``."""
    return _kind(annotation) == "TypeAliasType"


def default_of(variable: Any) -> Any:
    """Return the type that stands for a parameter where none is given; MISSING if there is none.

    Raises:
        SignatureError: there is one that cannot be evaluated.
    """
    has_default = getattr(variable, "has_default", None)
    try:
        default = getattr(variable, "__default__", None)
    except Exception as error:  # It is evaluated now, and may name what is not there.
        message = f"the default of the type parameter {variable.__name__} cannot be evaluated"
        raise SignatureError(f"{message}: {error}") from error
    if has_default is not None:
        return default if has_default() else MISSING
    # Older releases of typing_extensions have None where there is no default.
    return MISSING if default is None or "NoDefault" in _kind(default) else default


def split(annotation: Any) -> Optional[tuple[Any, tuple[Any, ...]]]:
    """Return ``Box`` and ``(int,)`` for ``Box[int]``; None if nothing is filled in."""
    origin = typing.get_origin(annotation)
    if origin is not None:
        return origin, typing.get_args(annotation)
    model = model_of(annotation)
    if model.get("origin") is not None:
        return model["origin"], tuple(model["args"])
    if not isinstance(annotation, type):
        return None
    for base in annotation.__mro__:
        if base.__name__ == "GenericModel" and base.__module__.startswith("pydantic"):  # pydantic 1
            assigned = getattr(sys.modules.get(base.__module__), "_assigned_parameters", {})
            filled = assigned.get(annotation)
            return (annotation.__bases__[0], tuple(filled.values())) if filled else None
    return None


def parameters_of(generic: Any) -> tuple[Any, ...]:
    """Return the parameters of a class or an alias that nothing is filled in for."""
    if is_alias(generic):
        return tuple(generic.__type_params__)
    found: Any = model_of(generic).get("parameters") or getattr(generic, "__parameters__", ())
    return tuple(found)


def completed(parameters: tuple[Any, ...], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what is filled in, with the defaults of the parameters that get nothing.

    Python itself adds defaults to what is filled in for a class; those may be made of the
    parameters before them.
    """
    found: list[Any] = []
    for index, parameter in enumerate(parameters):
        default = default_of(parameter)
        given = arguments[index] if index < len(arguments) else default
        if given is MISSING:
            break
        if given is default:
            given = substitute(given, dict(zip(parameters, found)))
        found.append(given)
    return (*found, *arguments[len(parameters) :])


def bases_of(cls: type) -> tuple[Any, ...]:
    """Return the bases of a class as they are written: ``Box[int]``, not ``Box``."""
    bases: tuple[Any, ...] = vars(cls).get("__orig_bases__", cls.__bases__)
    return bases


def names_of(owner: Any) -> dict[str, Any]:
    """Return the type parameters of a class, function or alias by the names that its body sees."""
    return {item.__name__: item for item in getattr(owner, "__type_params__", ())}


def _kind(annotation: Any) -> str:
    return type(annotation).__name__
