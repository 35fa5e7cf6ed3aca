"""Checks of the model's source that are no errors of its schema: annotations and old imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import CannotFix, Context, Result
from cogworks.cli.checkup.config_checks import NO_CONFIG
from cogworks.cli.checkup.source import NotEditable, SourceText, imports_from, used_names
from cogworks.cli.findings import Finding, Severity
from cogworks.cli.project_findings import references

REMOVED = "ExperimentalFeatureWarning"
"""Once in ``cog.types``; models imported it to silence it."""

_METHODS = ("run", "predict", "train")


def find_missing_annotations(context: Context) -> Result:
    """Find models that do not say what they return."""
    if context.project is None:
        return NO_CONFIG
    findings = tuple(
        Finding(
            f"{function.name}() has no return type annotation",
            "python-missing-type-annotations",
            Severity.WARNING,
            source.name,
            function.lineno,
            hint=f"Write what it returns: def {function.name}(...) -> str:",
        )
        for source, function in model_functions(context)
        if function.returns is None
    )
    return Result(findings)


def find_removed_imports(context: Context) -> Result:
    """Find imports of what ``cog.types`` does not have any more."""
    if context.project is None:
        return NO_CONFIG
    findings = tuple(
        Finding(
            f"{REMOVED} was removed from cog.types",
            "python-deprecated-imports",
            file=source.name,
            line=statement.lineno,
            hint="Remove the import and what uses it; nothing raises this warning any more",
        )
        for source in context.sources_with(REMOVED.encode())
        for statement in _removed_imports(source)
    )
    return Result(findings)


def remove_imports(context: Context) -> Changes:
    """Return the files without the import, without what uses it, and without orphaned imports.

    Raises:
        CannotFix: something more than a plain statement uses it.
    """
    candidates = context.sources_with(REMOVED.encode())
    affected = [source for source in candidates if any(_removed_imports(source))]
    try:
        return Changes({source.path: _without_removed(source) for source in affected})
    except NotEditable as error:
        raise CannotFix(str(error)) from error


def model_functions(
    context: Context,
) -> Iterator[tuple[SourceText, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions that cog.yaml's references lead to, as far as they stand in their file."""
    assert context.project is not None
    for ref in references(context.project).values():
        path, _, name = ref.partition(":")
        source = context.source(path)
        for node in source.tree.body if source is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                assert source is not None
                yield source, node
            elif isinstance(node, ast.ClassDef) and node.name == name:
                assert source is not None
                yield from ((source, method) for method in _predicting(node))


def _predicting(cls: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in cls.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in _METHODS:
            yield node


def _removed_imports(source: SourceText) -> Iterator[ast.ImportFrom]:
    for statement in imports_from(source.tree, "cog.types"):
        if any(alias.name == REMOVED for alias in statement.names):
            yield statement


def _without_removed(source: SourceText) -> bytes:
    imports = list(_removed_imports(source))
    names = {
        alias.asname or alias.name
        for statement in imports
        for alias in statement.names
        if alias.name == REMOVED
    }
    users = _statements_using(source.tree, names)
    for statement in imports:
        source.remove_names(statement, names)
    source.remove(users)
    _remove_orphans(source, users)
    return source.result()


def _statements_using(tree: ast.Module, names: set[str]) -> list[ast.stmt]:
    """Return the innermost statements that use one of the names.

    Raises:
        NotEditable: one is a definition or a condition, whose purpose nobody here can know.
    """
    found: list[ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Expr, ast.Delete)) and _uses(node, names):
            found.append(node)
    covered = {id(name) for statement in found for name in used_names(statement)}
    for name in used_names(tree):
        if name.id in names and id(name) not in covered:
            raise NotEditable(f"{name.id} is used in line {name.lineno}")
    return found


def _remove_orphans(source: SourceText, users: list[ast.stmt]) -> None:
    """Take out imports of names that only the removed statements used."""
    inside = {id(name) for statement in users for name in used_names(statement)}
    gone = {name.id for statement in users for name in used_names(statement)}
    kept = {name.id for name in used_names(source.tree) if id(name) not in inside}
    orphans = gone - kept
    for node in source.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.asname or alias.name for alias in node.names} & orphans
            names -= {REMOVED}
            if names:
                source.remove_names(node, names)


def _uses(node: ast.AST, names: set[str]) -> bool:
    return any(name.id in names for name in used_names(node))
