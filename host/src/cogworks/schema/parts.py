"""Cut the author's function into functions of one parameter, so that each can be judged alone."""

from __future__ import annotations

import ast
import copy

Function = ast.FunctionDef | ast.AsyncFunctionDef


def split_parameters(function: Function, skip_self: bool) -> list[Function]:
    """Return the function without parameters, then one function for each of its parameters.

    They share the nodes of the original, so that places stay right.
    """
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults = [*padding, *arguments.defaults]
    parts = [_only(function)]
    for index, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        if index == 0 and skip_self:
            continue
        kind = "posonlyargs" if argument in arguments.posonlyargs else "args"
        parts.append(_only(function, kind, argument, default))
    if arguments.vararg is not None:
        parts.append(_only(function, "vararg", arguments.vararg))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parts.append(_only(function, "args", argument, default))
    if arguments.kwarg is not None:
        parts.append(_only(function, "kwarg", arguments.kwarg))
    return parts


def _only(
    function: Function,
    kind: str = "",
    argument: ast.arg | None = None,
    default: ast.expr | None = None,
) -> Function:
    part = copy.copy(function)
    part.args = ast.arguments(
        posonlyargs=[argument] if argument and kind == "posonlyargs" else [],
        args=[argument] if argument and kind == "args" else [],
        vararg=argument if kind == "vararg" else None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=argument if kind == "kwarg" else None,
        defaults=[default] if default is not None else [],
    )
    return part
