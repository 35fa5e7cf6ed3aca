"""Names of other packages, and the one name by which each is known here."""

from __future__ import annotations

import ast
import warnings

from cogworks.schema.entities import External, ValueEntity
from cogworks.schema.names import MAX_DEPTH, Names
from cogworks.schema.scopes import Scope


def external_name(names: Names, node: ast.expr, scope: Scope, depth: int = 0) -> str:
    """Return the canonical name of something of another package; empty if it is none."""
    for entity in names.resolve(node, scope):
        if isinstance(entity, External):
            return canonical(entity.name)
        if isinstance(entity, ValueEntity) and not entity.parameters and depth < MAX_DEPTH:
            return external_name(names, entity.node, entity.scope, depth + 1)
    return ""


def canonical(name: str) -> str:
    """Return the one name by which we know things that can be imported from several places."""
    module, _, last = name.rpartition(".")
    if module.split(".")[0] == "cog":
        return f"cog.{last}"
    if module in ("typing_extensions", "collections.abc"):
        return f"typing.{last}"
    return name


def parse_string(node: ast.Constant) -> ast.expr | None:
    """Return the annotation in a string, its nodes placed where the string is; None if none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Any string may stand where an annotation does.
            parsed = ast.parse(str(node.value).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for inner in ast.walk(parsed):
        if isinstance(inner, ast.expr):
            ast.copy_location(inner, node)
    return parsed
