"""Read the signature of a live class or function: what a model takes and gives.

The worker uses it under the model's Python; ``cogworks.schema`` does the same from source text.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable

from cog._schema.ancestors import fillings_of
from cog._schema.annotations import Names, read_hint, read_in_class, read_metadata
from cog._schema.errors import SignatureError
from cog._schema.generics import Filling, fill
from cog._schema.given_live import given_by
from cog._schema.live_generics import names_of
from cog._schema.output_types import output_type
from cog._schema.parameters import input_field
from cog._schema.rules import (
    check_output_rules,
    check_setup_parameters,
    choose_method,
    missing_annotation,
    missing_return,
    missing_self,
    refused_parameter,
)
from cog._schema.types import MISSING, InputField, Signature
from cog.input import FieldInfo
from cog.runner import BaseRunner

_REFUSED_KINDS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
    inspect.Parameter.POSITIONAL_ONLY: "",
}


def read_signature(target: Any, mode: str = "run") -> Signature:
    """Return the signature of the author's class or function.

    Args:
        target: a class with ``run`` or ``predict`` (``train`` in the mode ``train``), or a
            function.
        mode: ``run`` or ``train``.

    Raises:
        SignatureError: it cannot be a model; the message says why in one sentence.
    """
    try:
        return _read_target(target, mode)
    except RecursionError as error:
        raise SignatureError("a type leads to itself, or is nested too deeply") from error


def _read_target(target: Any, mode: str) -> Signature:
    if inspect.isclass(target):
        name = find_method(target, mode)
        _check_setup(target)
        method = inspect.getattr_static(target, name)
        return _read_function(method, mode, target)
    if not callable(target):
        raise SignatureError(f"{target!r} is neither a class nor a function")
    return _read_function(target, mode, None)


def find_method(cls: type, mode: str) -> str:
    """Return the name of the method that makes predictions: ``run`` or ``predict``, or ``train``.

    Only what comes before our own base class counts.

    Raises:
        SignatureError: there is none, or both.
    """
    names: set[str] = set()
    for ancestor in cls.__mro__:
        if ancestor is BaseRunner:
            break
        names.update(name for name, value in vars(ancestor).items() if value is not None)
    return choose_method(cls.__name__, names, mode)


def _read_function(function: Any, mode: str, owner: Any) -> Signature:
    if isinstance(function, (staticmethod, classmethod)):
        raise missing_self(_name(function))
    chain = _unwrap(function)
    inner = chain[-1]
    parameters = list(inspect.signature(inner, follow_wrapped=False).parameters.values())
    if owner is not None:
        if not parameters or parameters[0].name != "self":
            raise missing_self(inner.__name__)
        del parameters[0]
    names, filling = _names(inner, owner)
    returns = inspect.signature(inner, follow_wrapped=False).return_annotation
    if returns is inspect.Signature.empty:
        raise missing_return(inner.__name__)
    signature = Signature(
        tuple(_read_parameter(parameter, names, filling) for parameter in parameters),
        output_type(fill(read_hint(returns, names), filling)),
        mode,
        any(_is_async(link) for link in chain),
        any(getattr(link, "__cog_streaming__", False) for link in chain),
        max(getattr(link, "__cog_concurrent_max__", 1) for link in chain),
    )
    check_output_rules(signature, inner.__name__)
    return signature


def _read_parameter(parameter: inspect.Parameter, names: Names, filling: Filling) -> InputField:
    if parameter.kind in _REFUSED_KINDS:
        raise refused_parameter(_REFUSED_KINDS[parameter.kind] + parameter.name)
    if parameter.annotation is inspect.Parameter.empty:
        raise missing_annotation(parameter.name)
    default = MISSING if parameter.default is inspect.Parameter.empty else parameter.default
    info = default
    for item in read_metadata(parameter.annotation, names):
        if isinstance(item, FieldInfo) and not isinstance(info, FieldInfo):
            info = item
    hint = fill(read_hint(parameter.annotation, names), filling)
    return input_field(parameter.name, hint, given_by(parameter.name, info, default))


def _unwrap(function: Any) -> list[Callable[..., Any]]:
    """Return a function and those it wraps, the author's own last.

    Decorators made with ``functools.wraps`` say what they wrap. Others are recognised by
    parameters that say nothing, and by the one function that they hold.
    """
    chain = [function]
    while True:
        link: Any = chain[-1]
        wrapped = getattr(link, "__wrapped__", None)
        if wrapped is None and _takes_anything(link):
            wrapped = _closed_over(link)
        if wrapped is None or wrapped in chain:
            break
        chain.append(wrapped)
    if not inspect.isfunction(chain[-1]):
        raise SignatureError(f"{chain[-1]!r} is no plain function", "Write it with `def`.")
    return chain


def _takes_anything(function: Any) -> bool:
    if not inspect.isfunction(function):
        return False
    code = function.__code__
    named = code.co_varnames[: code.co_argcount]
    has_stars = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    return bool(has_stars) and named in ((), ("self",))


def _closed_over(function: Any) -> Any:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    found = [value for value in cells if inspect.isfunction(value)]
    if len(found) > 1:
        raise SignatureError(
            f"unable to inspect function decorator of {function.__name__}: it holds several functions",
            "Use functools.wraps in the decorator.",
        )
    return found[0] if found else None


def _name(method: Any) -> str:
    return str(method.__func__.__name__)


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _names(function: Any, owner: Any) -> tuple[Names, Filling]:
    """Return the names that a function sees, and what fills in its class's type parameters."""
    local: dict[str, Any] = {}
    filling = Filling()
    if owner is not None:
        # The class that defines the method, not one that inherits it.
        name = function.__name__
        for cls in owner.__mro__:
            if name in vars(cls):
                local = {**names_of(cls), **cls.__dict__}
                if cls is not owner:
                    filling = fillings_of(owner, read_in_class).get(cls, filling)
                break
    local = {**local, **_closure(function), **names_of(function)}
    return Names(function.__globals__, local), filling


def _closure(function: Any) -> dict[str, Any]:
    if not function.__closure__:
        return {}
    return dict(inspect.getclosurevars(function).nonlocals)


def _check_setup(cls: type) -> None:
    for ancestor in cls.__mro__:
        if ancestor is BaseRunner:
            return
        if "setup" in vars(ancestor):
            break
    else:
        return
    setup = inspect.getattr_static(cls, "setup")
    if isinstance(setup, (staticmethod, classmethod)) or not callable(setup):
        raise missing_self("setup")
    function = _unwrap(setup)[-1]
    signature = inspect.signature(function, follow_wrapped=False)
    parameters = list(signature.parameters.values())
    check_setup_parameters(
        [
            (_REFUSED_KINDS.get(item.kind, "") + item.name, item.default is item.empty)
            for item in parameters
        ],
        signature.return_annotation in (inspect.Signature.empty, None, "None"),
    )
