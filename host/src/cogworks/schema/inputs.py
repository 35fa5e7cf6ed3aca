"""From the parameters of the author's function to inputs: defaults and ``Input(...)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cog._schema.defaults import json_default
from cog._schema.errors import SignatureError
from cog._schema.generics import Filling, fill
from cog._schema.given import Given
from cog._schema.parameters import input_field
from cog._schema.rules import missing_annotation, refused_parameter
from cog._schema.types import COMPUTED, MISSING, InputField
from cogworks.schema.annotations import Annotations
from cogworks.schema.defaults import Defaults
from cogworks.schema.externals import external_name
from cogworks.schema.input_calls import Argument, InputCall, InputCalls, unresolved
from cogworks.schema.literals import Folder
from cogworks.schema.names import Names
from cogworks.schema.records import Parameter
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


class Inputs:
    """Reads the parameters of functions of one project."""

    def __init__(self, names: Names, folder: Folder, annotations: Annotations) -> None:
        """Look names up, fold constants and read annotations with what is given."""
        self._names = names
        self._folder = folder
        self._calls = InputCalls(names, folder)
        self._annotations = annotations
        self._defaults = Defaults(names, folder, annotations.records)
        annotations.records.use_inputs(self._read_field)

    def read(
        self,
        function: ast.FunctionDef | ast.AsyncFunctionDef,
        scope: Scope,
        skip_self: bool,
        filling: Filling | None = None,
    ) -> tuple[InputField, ...]:
        """Return the inputs of a function; ``filling`` is for the parameters of its class.

        Raises:
            SignatureError, SchemaError: a parameter cannot be an input.
        """
        scope = scope.around(function)
        return tuple(
            self._read_parameter(argument, default, scope, filling or Filling())
            for argument, default in _parameters(function, scope, skip_self)
        )

    def _read_parameter(
        self, argument: ast.arg, default: ast.expr | None, scope: Scope, filling: Filling
    ) -> InputField:
        place = Place(scope.source, argument)
        if argument.annotation is None:
            error = missing_annotation(argument.arg)
            error.where = place
            raise error
        hint = fill(self._annotations.read(argument.annotation, scope), filling)
        given = self._read_given(argument.arg, argument.annotation, default, scope)
        try:
            return input_field(argument.arg, hint, given)
        except SignatureError as error:
            error.where = error.where or place
            raise

    def _read_given(
        self, name: str, annotation: ast.expr, default: ast.expr | None, scope: Scope
    ) -> Given:
        call = None if default is None else self._calls.find(default, scope)
        if call is not None:
            return self._read_call(name, call)
        given = self._read_annotated(name, annotation, scope) or Given()
        if default is None:
            return given
        value = self._fold(name, "default", Argument(default, scope, {}))
        places = {**given.places, "default": Place(scope.source, default)}
        return replace(given, default=value, factory=None, places=places)

    def _read_annotated(self, name: str, annotation: ast.expr, scope: Scope) -> Given | None:
        """Return what the ``Input(...)`` inside of an ``Annotated`` says, if there is one."""
        for metadata, owner in self._annotations.find_metadata(annotation, scope):
            call = self._calls.find(metadata, owner)
            if call is not None:
                return self._read_call(name, call)
        return None

    def _read_field(self, name: str, statement: ast.AnnAssign, scope: Scope) -> Given | None:
        """Return what the ``Input(...)`` of a class's field says, if it has one."""
        value = statement.value
        call = None if value is None else self._calls.find(value, scope)
        if call is not None:
            return self._read_call(name, call)
        given = self._read_annotated(name, statement.annotation, scope)
        if given is None or value is None:
            return given
        how, node = self._annotations.records.default_of(Parameter(name, value, scope))
        if node is None:
            return replace(given, default=MISSING, factory=None)
        if how == "factory":
            known = _FACTORIES.get(external_name(self._names, node, scope))
            return replace(given, default=COMPUTED if known is None else known())
        default = self._fold(name, "default", Argument(node, scope, {}))
        places = {**given.places, "default": Place(scope.source, node)}
        return replace(given, default=default, places=places)

    def _read_call(self, name: str, call: InputCall) -> Given:
        arguments = self._arguments(name, call)
        places = {key: Place(item.scope.source, item.node) for key, item in arguments.items()}
        values = {
            key: self._fold(name, key, item)
            for key, item in arguments.items()
            if key != "default_factory"
        }
        factory = arguments.get("default_factory")
        if factory is not None:
            if "default" in arguments and values["default"] is not MISSING:
                message = f"{name}: Input() takes default or default_factory, not both"
                raise places["default_factory"].error(message)
            known = _FACTORIES.get(external_name(self._names, factory.node, factory.scope))
            values["default"] = known() if known is not None else COMPUTED
        return Given(**values, places=places)

    def _arguments(self, name: str, call: InputCall) -> dict[str, Argument]:
        found = self._calls.arguments(name, call)
        for key, item in found.items():
            if key not in ARGUMENTS:
                raise Place(item.scope.source, item.node).error(
                    f"{name}: Input() has no argument {key!r}",
                    f"It takes {', '.join(ARGUMENTS)}.",
                )
        return found

    def _fold(self, name: str, key: str, argument: Argument) -> Any:
        try:
            if argument.value:
                value = argument.value[0]
            elif key == "default":
                value = self._defaults.read(argument.node, argument.scope, argument.local)
            else:
                value = self._folder.fold(argument.node, argument.scope, argument.local)
        except Unknown as unknown:
            what = f"{name}: {key}"
            raise unresolved(what, argument.node, argument.scope, unknown) from unknown
        if key == "default" and value is Ellipsis:
            return MISSING
        if key not in ("default", "choices") or value is None:
            return value
        try:
            return _json_choices(value) if key == "choices" else json_default(value)
        except (ValueError, Unknown) as error:
            place = Place(argument.scope.source, argument.node)
            raise place.error(f"{name}: {key} cannot be used: {error}") from error


def _json_choices(value: Any) -> tuple[Any, ...]:
    if isinstance(value, frozenset):
        raise ValueError("the order of a set is not fixed; use a list")
    if isinstance(value, str):
        raise ValueError("it must be a list of values")
    return tuple(json_default(item) for item in iterate(value))


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
