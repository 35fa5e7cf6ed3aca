"""From the parameters of the author's function to inputs: defaults and ``Input(...)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cog._schema.errors import SignatureError
from cog._schema.parameters import Given, input_field, json_default
from cog._schema.rules import missing_annotation, refused_parameter
from cog._schema.types import COMPUTED, MISSING, InputField
from cogworks.schema.annotations import Annotations
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import external_name
from cogworks.schema.literals import Folder, Local
from cogworks.schema.names import FunctionEntity, Names, ValueEntity
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Place
from cogworks.schema.values import Unknown, iterate

ARGUMENTS = (
    "default",
    "default_factory",
    "description",
    "ge",
    "le",
    "min_length",
    "max_length",
    "regex",
    "choices",
    "deprecated",
    "accept",
)
"""Of ``Input``; only the first may be given without its name."""

_FACTORIES = {f"builtins.{kind.__name__}": kind for kind in (bool, int, float, str, list, dict)}
_MAX_HELPERS = 10


@dataclass(frozen=True)
class _InputCall:
    """An ``Input(...)`` in the source, with the arguments of the helper function around it."""

    node: ast.Call
    scope: Scope
    local: Local = field(default_factory=dict[str, Any])


class Inputs:
    """Reads the parameters of functions of one project."""

    def __init__(self, names: Names, folder: Folder, annotations: Annotations) -> None:
        """Look names up, fold constants and read annotations with what is given."""
        self._names = names
        self._folder = folder
        self._annotations = annotations

    def read(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, skip_self: bool
    ) -> tuple[InputField, ...]:
        """Return the inputs of a function.

        Raises:
            SignatureError, SchemaError: a parameter cannot be an input.
        """
        return tuple(
            self._read_parameter(argument, default, scope)
            for argument, default in _parameters(function, scope, skip_self)
        )

    def _read_parameter(
        self, argument: ast.arg, default: ast.expr | None, scope: Scope
    ) -> InputField:
        place = Place(scope.source, argument)
        if argument.annotation is None:
            error = missing_annotation(argument.arg)
            error.where = place
            raise error
        given = self._read_given(argument.arg, argument.annotation, default, scope)
        hint = self._annotations.read(argument.annotation, scope)
        try:
            return input_field(argument.arg, hint, given)
        except SignatureError as error:
            error.where = error.where or place
            raise

    def _read_given(
        self, name: str, annotation: ast.expr, default: ast.expr | None, scope: Scope
    ) -> Given:
        call = None if default is None else self._find_call(default, scope)
        if call is not None:
            return self._read_call(name, call)
        given = Given()
        for metadata in self._annotations.find_metadata(annotation, scope):
            call = self._find_call(metadata, scope)
            if call is not None:
                given = self._read_call(name, call)
                break
        if default is None:
            return given
        value = self._fold(name, "default", default, _InputCall(_NO_CALL, scope))
        places = {**given.places, "default": Place(scope.source, default)}
        return replace(given, default=value, factory=None, places=places)

    def _find_call(
        self, node: ast.expr, scope: Scope, local: Local | None = None, depth: int = 0
    ) -> _InputCall | None:
        """Follow names, attributes and helper functions to an ``Input(...)``, if there is one."""
        if depth > _MAX_HELPERS:
            return None
        if not isinstance(node, ast.Call):
            for entity in self._names.resolve(node, scope):
                if isinstance(entity, ValueEntity):
                    return self._find_call(entity.node, entity.scope, None, depth + 1)
            return None
        if external_name(self._names, node.func, scope) in ("cog.Input", "cog.FieldInfo"):
            return _InputCall(node, scope, local or {})
        for entity in self._names.resolve(node.func, scope):
            if isinstance(entity, FunctionEntity):
                return self._enter_helper(node, entity, scope, depth)
        return None

    def _enter_helper(
        self, node: ast.Call, helper: FunctionEntity, scope: Scope, depth: int
    ) -> _InputCall | None:
        """Follow a call to a function that does nothing but return an ``Input(...)``."""
        body = [item for item in helper.node.body if not _is_docstring(item)]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        found = self._find_call(body[0].value, helper.scope, None, depth + 1)
        if found is None or found.scope is not helper.scope:
            return found
        try:
            return replace(found, local=self._bind_arguments(node, helper, scope))
        except Unknown as unknown:
            raise _unresolved("an argument", node, scope, unknown) from unknown

    def _bind_arguments(
        self, node: ast.Call, helper: FunctionEntity, scope: Scope
    ) -> dict[str, Any]:
        arguments = helper.node.args
        positional = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        values: dict[str, ast.expr] = {}
        defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults[item.arg] = default
        values.update(zip(positional, node.args, strict=False))
        values.update({item.arg: item.value for item in node.keywords if item.arg is not None})
        bound = {name: self._folder.fold(value, helper.scope) for name, value in defaults.items()}
        return {
            **bound,
            **{name: self._folder.fold(value, scope) for name, value in values.items()},
        }

    def _read_call(self, name: str, call: _InputCall) -> Given:
        arguments = self._arguments(name, call)
        places = {key: Place(call.scope.source, node) for key, node in arguments.items()}
        values = {
            key: self._fold(name, key, node, call)
            for key, node in arguments.items()
            if key != "default_factory"
        }
        factory = arguments.get("default_factory")
        if factory is not None:
            if "default" in arguments and values["default"] is not MISSING:
                message = f"{name}: Input() takes default or default_factory, not both"
                raise places["default_factory"].error(message)
            known = _FACTORIES.get(external_name(self._names, factory, call.scope))
            values["default"] = known() if known is not None else COMPUTED
        return Given(**values, places=places)

    def _arguments(self, name: str, call: _InputCall) -> dict[str, ast.expr]:
        node = call.node
        place = Place(call.scope.source, node)
        found: dict[str, ast.expr] = {}
        if len(node.args) > 1:
            raise place.error(f"{name}: Input() takes one argument without a name, the default")
        for argument in node.args:
            found["default"] = argument
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Place(call.scope.source, keyword.value).error(
                    f"{name}: the arguments of Input() cannot be read from **",
                    "Write them out, by name.",
                )
            if keyword.arg not in ARGUMENTS:
                raise Place(call.scope.source, keyword.value).error(
                    f"{name}: Input() has no argument {keyword.arg!r}",
                    f"It takes {', '.join(ARGUMENTS)}.",
                )
            found[keyword.arg] = keyword.value
        return found

    def _fold(self, name: str, argument: str, node: ast.expr, call: _InputCall) -> Any:
        try:
            value = self._folder.fold(node, call.scope, call.local)
        except Unknown as unknown:
            raise _unresolved(f"{name}: {argument}", node, call.scope, unknown) from unknown
        if argument == "default" and value is Ellipsis:
            return MISSING
        if argument not in ("default", "choices") or value is None:
            return value
        try:
            return _json_choices(value) if argument == "choices" else json_default(value)
        except (ValueError, Unknown) as error:
            place = Place(call.scope.source, node)
            raise place.error(f"{name}: {argument} cannot be used: {error}") from error


def _json_choices(value: Any) -> tuple[Any, ...]:
    if isinstance(value, frozenset):
        raise ValueError("the order of a set is not fixed; use a list")
    if isinstance(value, str):
        raise ValueError("it must be a list of values")
    return tuple(json_default(item) for item in iterate(value))


def _unresolved(what: str, node: ast.expr, scope: Scope, unknown: Unknown) -> SchemaError:
    place = Place(scope.source, node)
    inner = unknown.place
    at_fault = ""
    if inner is not None and inner.source is not scope.source:
        at_fault = f" ({inner.describe()})"
    if inner is not None and inner.source is scope.source:
        place = inner
    text = ast.unparse(node)
    text = text if len(text) <= 80 else text[:79] + "…"
    return place.error(
        f"{what} `{text}` cannot be statically resolved: {unknown.why}{at_fault}",
        "Write a literal, or a constant that is made of literals.",
    )


def _parameters(
    function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, skip_self: bool
) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    arguments = function.args
    for starred, stars in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
        if starred is not None:
            raise _refused(stars + starred.arg, starred, scope)
    positional = [*arguments.posonlyargs, *arguments.args]
    if skip_self:
        positional = positional[1:]
    for argument in positional:
        if argument in arguments.posonlyargs:
            raise _refused(argument.arg, argument, scope)
    count = len(positional) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [None] * max(0, count)
    defaults += arguments.defaults[-len(positional) :] if positional else []
    yield from zip(positional, defaults, strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _refused(name: str, argument: ast.arg, scope: Scope) -> SignatureError:
    error = refused_parameter(name)
    error.where = Place(scope.source, argument)
    return error


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_NO_CALL = ast.Call(ast.Name("Input", ast.Load()), [], [])
"""Stands for the missing ``Input(...)`` of a plain default."""
