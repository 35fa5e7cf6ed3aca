"""Read a model's signature from source text, never importing or running it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from cog._schema.errors import SignatureError
from cog._schema.generics import Filling, fill
from cog._schema.output_types import output_type
from cog._schema.rules import check_output_rules, check_setup_parameters, missing_return
from cog._schema.types import Signature
from cogworks.schema.annotations import Annotations
from cogworks.schema.classes import Classes
from cogworks.schema.errors import SchemaError
from cogworks.schema.externals import external_name
from cogworks.schema.inputs import Inputs
from cogworks.schema.literals import Folder
from cogworks.schema.modules import Modules
from cogworks.schema.names import Names
from cogworks.schema.parts import split_parameters
from cogworks.schema.scopes import Function
from cogworks.schema.source import Place
from cogworks.schema.targets import Target, Targets
from cogworks.schema.values import Unknown

T = TypeVar("T")


def analyze(project_dir: Path, ref: str, mode: str = "run") -> Signature:
    """Return the signature of the class or function that ``ref`` names.

    Args:
        project_dir: the directory of cog.yaml; names lead to modules below it, never out of it.
        ref: ``run.py:Runner``, or ``run.py`` for the usual names.
        mode: ``run`` or ``train``.

    Raises:
        SchemaError: it cannot be a model, or cannot be known without running it.
    """
    path, _, name = ref.partition(":")
    analysis, file = _open(project_dir, path)
    return _translated(lambda: analysis.read(file, name, mode), path)


def find_problems(project_dir: Path, ref: str, mode: str = "run") -> list[SchemaError]:
    """Return everything that is wrong with a signature; arguments as for ``analyze``.

    Each parameter, the output and ``setup`` are read by themselves, so that one mistake does not
    hide another.
    """
    path, _, name = ref.partition(":")
    analysis, file = _open(project_dir, path)
    try:
        _translated(lambda: analysis.read(file, name, mode), path)
    except SchemaError as error:
        first = error
    else:
        return []
    problems: list[SchemaError] = []
    with suppress(SchemaError):
        for part in _translated(lambda: analysis.parts(file, name, mode), path):
            try:
                _translated(part, path)
            except SchemaError as problem:
                problems.append(problem)
    # What stops everything, such as a name that is not there, has no parts.
    return problems or [first]


def _open(project_dir: Path, path: str) -> tuple[_Analysis, Path]:
    directory = project_dir.resolve()
    file = directory / path
    return _Analysis(Modules(directory, file)), file


def _translated(read: Callable[[], T], path: str) -> T:
    try:
        return read()
    except SignatureError as error:
        raise _schema_error(error, path) from error
    except RecursionError as error:
        raise SchemaError("is nested too deeply to be read", file=path) from error


class _Analysis:
    """The parts of the analysis of one project, put together."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._names = Names(modules)
        self._folder = Folder(self._names)
        classes = Classes(self._names)
        self._targets = Targets(self._names, classes)
        self._annotations = Annotations(self._names, classes, self._folder)
        self._inputs = Inputs(self._names, self._folder, self._annotations)

    def read(self, file: Path, name: str, mode: str) -> Signature:
        target = self._targets.find(self._modules.open_file(file), name, mode)
        try:
            if target.owner is not None:
                self._check_setup(target)
            return self._read_function(target, mode)
        except SignatureError as error:
            error.where = error.where or target.place
            raise

    def parts(self, file: Path, name: str, mode: str) -> list[Callable[[], object]]:
        """Return functions that read one part each of what ``read`` reads as a whole."""
        target = self._targets.find(self._modules.open_file(file), name, mode)
        parts: list[Callable[[], object]] = []
        if target.owner is not None:
            parts.append(lambda: self._located(target, lambda: self._check_setup(target)))
        without_inputs, *parameters = split_parameters(target.function, target.owner is not None)
        for function in parameters:
            part = replace(target, function=function, owner=None)
            read = partial(self._inputs.read, part.function, part.scope, skip_self=False)
            parts.append(partial(read, filling=self._filling(target)))
        rest = replace(target, function=without_inputs)
        parts.append(lambda: self._located(rest, lambda: self._read_function(rest, mode)))
        return parts

    def _located(self, target: Target, read: Callable[[], object]) -> object:
        try:
            return read()
        except SignatureError as error:
            error.where = error.where or target.place
            raise

    def _read_function(self, target: Target, mode: str) -> Signature:
        function = target.function
        filling = self._filling(target)
        inputs = self._inputs.read(function, target.scope, target.owner is not None, filling)
        if function.returns is None:
            raise missing_return(function.name)
        scope = target.scope.around(function)
        signature = Signature(
            inputs,
            output_type(fill(self._annotations.read(function.returns, scope), filling)),
            mode,
            target.is_async,
            any(True for _ in self._decorators(target, "cog.streaming")),
            self._concurrency(target),
        )
        check_output_rules(signature, function.name)
        return signature

    def _filling(self, target: Target) -> Filling:
        """Return what fills in the parameters of a generic class that a method is inherited from."""
        if target.owner is None or target.model is None or target.owner == target.model:
            return Filling()
        fillings = self._annotations.generics.fillings(target.model)
        return fillings.get(target.owner.node, Filling())

    def _decorators(self, target: Target, name: str) -> list[ast.expr]:
        found: list[ast.expr] = []
        for decorator, scope in target.decorators:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if external_name(self._names, function, scope) == name:
                found.append(decorator)
        return found

    def _concurrency(self, target: Target) -> int:
        return max(
            [self._max(node, target) for node in self._decorators(target, "cog.concurrent")] or [1]
        )

    def _max(self, decorator: ast.expr, target: Target) -> int:
        if not isinstance(decorator, ast.Call):
            return 1
        place = Place(target.scope.source, decorator)
        if decorator.args or any(item.arg != "max" for item in decorator.keywords):
            raise place.error("@concurrent takes max by name", "Write @concurrent(max=8).")
        if not decorator.keywords:
            return 1
        node = decorator.keywords[0].value
        try:
            value = self._folder.fold(node, target.scope)
        except Unknown as unknown:
            reason = f"@concurrent(max={ast.unparse(node)}) cannot be statically resolved"
            raise place.error(f"{reason}: {unknown.why}", "Write a number.") from unknown
        if not isinstance(value, int) or isinstance(value, bool):
            raise place.error(f"@concurrent(max={value!r}) must be an int", "Write a number.")
        if value < 1:
            raise place.error(f"@concurrent(max={value}) must be at least 1", "Write 1 or more.")
        return value

    def _check_setup(self, target: Target) -> None:
        assert target.owner is not None
        setup = self._targets.find_member(target.owner, "setup")
        if setup is None:
            return
        returns = setup.function.returns
        returns_none = returns is None or (
            isinstance(returns, ast.Constant) and returns.value in (None, "None")
        )
        try:
            check_setup_parameters(_setup_parameters(setup.function), returns_none)
        except SignatureError as error:
            error.where = setup.place
            raise


def _setup_parameters(function: Function) -> list[tuple[str, bool]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    found = [(item.arg, index < first_default) for index, item in enumerate(positional)]
    if arguments.vararg is not None:
        found.append(("*" + arguments.vararg.arg, True))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += [(item.arg, default is None) for item, default in pairs]
    if arguments.kwarg is not None:
        found.append(("**" + arguments.kwarg.arg, True))
    return found


def _schema_error(error: SignatureError, file: str) -> SchemaError:
    if isinstance(error.where, Place):
        return error.where.error(str(error), error.advice)
    return SchemaError(str(error), error.advice, file=file)
