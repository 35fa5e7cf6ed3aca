"""What decorators of the author's make of a method: which function's parameters are the inputs.

As the live front end does: a decorator that says what it wraps (``functools.wraps``), or whose
function takes anything, is looked through; one whose function has parameters of its own is not.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from cogworks.schema.entities import ClassEntity, FunctionEntity
from cogworks.schema.externals import external_name
from cogworks.schema.names import Names
from cogworks.schema.scopes import Function, Scope
from cogworks.schema.source import Place, text_of

SIGNATURE_ATTRIBUTES = (
    "__annotations__",
    "__defaults__",
    "__kwdefaults__",
    "__signature__",
    "__wrapped__",
)
"""What a function can be given from outside that changes how its parameters are read."""


@dataclass(frozen=True)
class Decorated:
    """The function whose parameters count, and all decorators on the way to it.

    ``is_async`` if the function, or one around it, is.
    """

    function: Function
    scope: Scope
    decorators: tuple[tuple[ast.expr, Scope], ...]
    is_async: bool


class Decorators:
    """Looks through decorators of one project."""

    def __init__(self, names: Names) -> None:
        """Look names up in ``names``."""
        self._names = names

    def look_through(
        self, function: Function, scope: Scope, outer: list[ast.expr] | None = None
    ) -> Decorated:
        """Return what counts of a function; ``outer`` decorates it further: ``run = outer(run)``."""
        passed: list[tuple[ast.expr, Scope]] = []
        is_async = False
        for decorator in [*(outer or []), *function.decorator_list]:
            passed.append((decorator, scope))
            wrapper = self._find_wrapper(decorator, scope)
            if wrapper is None:
                continue
            inner, inner_scope = wrapper
            is_async = is_async or isinstance(inner, ast.AsyncFunctionDef)
            if not _takes_anything(inner) and not self._says_what_it_wraps(inner, inner_scope):
                passed += [(item, inner_scope) for item in inner.decorator_list]
                return Decorated(inner, inner_scope, tuple(passed), is_async)
        is_async = is_async or isinstance(function, ast.AsyncFunctionDef)
        return Decorated(function, scope, tuple(passed), is_async)

    def find_replacing(self, node: ast.ClassDef, scope: Scope) -> ast.expr | None:
        """Return a decorator of a class that may put another class in its place, if there is one.

        Those of other packages are taken to return the class that they get.
        """
        for decorator in node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            entities = self._names.resolve(function, scope)
            if len(entities) != 1 or not isinstance(entities[0], FunctionEntity):
                continue
            found: Function | None = entities[0].node
            if isinstance(decorator, ast.Call):
                found = _returned_function(entities[0].node)
            if found is None or not _returns_its_argument(found):
                return decorator
        return None

    def _find_wrapper(self, decorator: ast.expr, scope: Scope) -> tuple[Function, Scope] | None:
        """Return the function that a decorator puts in place of what it decorates.

        None if that shows through anyway: those of other packages are taken to use
        ``functools.wraps``.

        Raises:
            SchemaError: it is the project's own, and does something else.
        """
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        entities = self._names.resolve(node, scope)
        entity = entities[0] if len(entities) == 1 else None
        if not isinstance(entity, (ClassEntity, FunctionEntity)):
            return None
        if isinstance(entity, FunctionEntity):
            function: Function | None = entity.node
            if isinstance(decorator, ast.Call):  # ``@retry(times=3)``
                function = _returned_function(entity.node)
            if entity.node.decorator_list or (function and _returns_its_argument(function)):
                return None
            found = _returned_function(function) if function else None
            if found is not None:
                return found, entity.scope.inside(entity.node)
        if _names_its_origin(entity.node):
            return None
        raise Place(scope.source, decorator).error(
            f"what the decorator `{text_of(node)}` makes of a method only the running code knows",
            "Let it return a function that is decorated with functools.wraps.",
        )

    def _says_what_it_wraps(self, function: Function, scope: Scope) -> bool:
        for node in function.decorator_list:
            if isinstance(node, ast.Call):
                name = external_name(self._names, node.func, scope)
                if name == "functools.wraps" or ast.unparse(node.func).endswith("wraps"):
                    return True
        return False


def _returned_function(function: Function) -> Function | None:
    returned = [
        node.value.id
        for node in function.body
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Name)
    ]
    for node in function.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in returned:
            return node
    return None


def _names_its_origin(node: ast.AST) -> bool:
    """Whether ``functools.wraps`` or ``update_wrapper`` says what the result wraps."""
    return any(
        isinstance(item, ast.Call)
        and ast.unparse(item.func).rpartition(".")[2] in ("wraps", "update_wrapper")
        for item in ast.walk(node)
    )


def _returns_its_argument(function: Function) -> bool:
    """Whether it is ``def register(cls): ...; return cls``."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Attribute) and node.attr in SIGNATURE_ATTRIBUTES for node in nodes):
        return False
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    names = {node.id if isinstance(node, ast.Name) else "" for node in returned}
    return bool(arguments) and names == {arguments[0].arg}


def _takes_anything(function: Function) -> bool:
    arguments = function.args
    names = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
    has_stars = arguments.vararg is not None or arguments.kwarg is not None
    return has_stars and names in ([], ["self"]) and not arguments.kwonlyargs
