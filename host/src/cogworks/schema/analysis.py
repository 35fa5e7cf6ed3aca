"""Read a model's signature from source text, never importing or running it."""

from __future__ import annotations

import ast
from pathlib import Path

from cog._schema.errors import SignatureError
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
from cogworks.schema.source import Place
from cogworks.schema.targets import Function, Target, Targets
from cogworks.schema.values import Unknown


def analyze(project_dir: Path, ref: str, mode: str = "run") -> Signature:
    """Return the signature of the class or function that ``ref`` names.

    Args:
        project_dir: the directory of cog.yaml; names lead to modules below it, never out of it.
        ref: ``run.py:Runner``, or ``run.py`` for the usual names.
        mode: ``run`` or ``train``.

    Raises:
        SchemaError: it cannot be a model, or cannot be known without running it.
    """
    directory = project_dir.resolve()
    path, _, name = ref.partition(":")
    file = directory / path
    modules = Modules(directory, file)
    try:
        return _Analysis(modules).read(file, name, mode)
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
        self._annotations = Annotations(self._names, classes)
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

    def _read_function(self, target: Target, mode: str) -> Signature:
        function = target.function
        inputs = self._inputs.read(function, target.scope, target.owner is not None)
        if function.returns is None:
            raise missing_return(function.name)
        signature = Signature(
            inputs,
            output_type(self._annotations.read(function.returns, target.scope)),
            mode,
            isinstance(function, ast.AsyncFunctionDef),
            any(True for _ in self._decorators(target, "cog.streaming")),
            self._concurrency(target),
        )
        check_output_rules(signature, function.name)
        return signature

    def _decorators(self, target: Target, name: str) -> list[ast.expr]:
        found: list[ast.expr] = []
        for decorator in target.function.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if external_name(self._names, function, target.scope) == name:
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
