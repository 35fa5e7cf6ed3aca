"""The ``[T]`` of ``class Box[T]``, ``def run[T]`` and ``type L[T] = ...``.

Python 3.12 has nodes for them, 3.13 for their defaults too. A command that runs under an older one
reads them from the tokens; see ``grammar``.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Header = tuple[int, str]
"""The line and the name of what has parameters."""

_ATTRIBUTE = "_cogworks_parameters"


@dataclass(frozen=True, eq=False)
class TypeParameter:
    """One parameter; ``is_several`` for ``*Ts`` and ``**P``."""

    name: str
    is_several: bool = False
    default: ast.expr | None = None


def parameters_of(node: ast.AST) -> tuple[TypeParameter, ...]:
    """Return the parameters of a class, a function or an alias; the same ones each time."""
    found: tuple[TypeParameter, ...] | None = getattr(node, _ATTRIBUTE, None)
    if found is None:
        found = tuple(_from_node(item) for item in getattr(node, "type_params", ()))
        setattr(node, _ATTRIBUTE, found)
    return found


def attach(tree: ast.Module, found: Mapping[Header, tuple[TypeParameter, ...]]) -> None:
    """Give the nodes of a tree the parameters that were read from the tokens."""
    for node in _statements(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        else:
            continue
        parameters = found.get((node.lineno, name))
        if parameters is not None:
            setattr(node, _ATTRIBUTE, parameters)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all statements, at any depth; a walk through the expressions too takes ten times as long."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner: object = getattr(node, name, None)
            if isinstance(inner, list):
                todo += inner


def read_parameters(tokens: list[tokenize.TokenInfo]) -> tuple[TypeParameter, ...]:
    """Return the parameters whose tokens, without the brackets around them, are given."""
    found: list[TypeParameter] = []
    for part in _split(tokens, ","):
        stars = part[:1] if part and part[0].string in ("*", "**") else []
        head = part[len(stars) :]
        if head:
            default = list(_split(head, "="))[1:2]
            read = _expression(default[0]) if default and default[0] else None
            found.append(TypeParameter(head[0].string, bool(stars), read))
    return tuple(found)


def _from_node(node: ast.AST) -> TypeParameter:
    is_several = type(node).__name__ in ("TypeVarTuple", "ParamSpec")
    default: ast.expr | None = getattr(node, "default_value", None)
    return TypeParameter(str(getattr(node, "name", "")), is_several, default)


def _split(tokens: list[tokenize.TokenInfo], separator: str) -> Iterator[list[tokenize.TokenInfo]]:
    """Yield what is between separators that are in no brackets."""
    depth = 0
    part: list[tokenize.TokenInfo] = []
    for token in tokens:
        depth += (token.string in ("[", "(", "{")) - (token.string in ("]", ")", "}"))
        if token.string == separator and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _expression(tokens: list[tokenize.TokenInfo]) -> ast.expr | None:
    try:
        parsed = ast.parse(" ".join(token.string for token in tokens), mode="eval").body
    except SyntaxError:
        return None
    place = ast.Name("_", ast.Load())
    (place.lineno, place.col_offset), end = tokens[0].start, tokens[-1].end
    place.end_lineno, place.end_col_offset = end
    for inner in ast.walk(parsed):
        if isinstance(inner, ast.expr):
            ast.copy_location(inner, place)
    return parsed
