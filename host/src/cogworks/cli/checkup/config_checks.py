"""Checks of cog.yaml: that it can be read, what is wrong in it, and what it refers to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.checkup.source import used_names
from cogworks.cli.findings import Finding, Severity
from cogworks.cli.project_findings import references

NO_CONFIG = Result(note="there is no configuration that can be read", is_skipped=True)


def find_unreadable(context: Context) -> Result:
    """Find a configuration that is not there or is not YAML."""
    if context.examined is None:
        message = f"{context.config_name} not found in {context.directory}"
        hint = "Run `cog init`, or go to the folder of a project"
        return _found(f"{message} (or in any parent directories)", context, hint=hint)
    if context.project is not None:
        return Result()
    problem = context.examined.problems[0]
    return _found(problem.message, context, line=problem.line)


def find_invalid(context: Context) -> Result:
    """Find everything that is wrong in the configuration."""
    if context.examined is None or context.project is None:
        return NO_CONFIG
    findings = tuple(
        Finding(
            f"{problem.key}: {problem.message}" if problem.key else problem.message,
            "config-schema",
            file=context.config_name,
            line=problem.line,
        )
        for problem in context.examined.problems
    )
    return Result(findings)


def find_deprecated_fields(context: Context) -> Result:
    """Find keys with a newer name; ``predict`` has a check of its own."""
    if context.examined is None or context.project is None:
        return NO_CONFIG
    findings = tuple(
        Finding(
            f"{warning.key}: {warning.message}",
            "config-deprecated-fields",
            Severity.WARNING,
            context.config_name,
            warning.line,
        )
        for warning in context.examined.warnings
        if warning.key != "predict"
    )
    return Result(findings)


def find_broken_references(context: Context) -> Result:
    """Find references to files, classes and functions that are not there."""
    if context.project is None:
        return NO_CONFIG
    return Result(tuple(_broken_references(context)))


def _broken_references(context: Context) -> Iterator[Finding]:
    project = context.project
    assert project is not None
    for key, ref in references(project).items():
        path, _, name = ref.partition(":")
        finding = Finding(
            f"{path} not found",
            "config-predict-ref",
            file=context.config_name,
            line=project.lines.get(key, 0),
            hint=f"Create {path} or update the {key} field in {context.config_name}",
        )
        if not (context.directory / path).is_file():
            yield finding
            continue
        source = context.source(path)
        if source is not None and not defines(source.tree, name):
            hint = f"Define {name} in {path} or update the {key} field in {context.config_name}"
            yield replace(finding, message=f"{name} not found in {path}", hint=hint)


def defines(tree: ast.Module, name: str) -> bool:
    """Tell whether a module has a name, as far as can be seen: a star may bring anything."""
    for node in _statements(tree.body):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name == name:
                return True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            if name in names or "*" in names:
                return True
        elif any(item.id == name for item in used_names(node) if isinstance(item.ctx, ast.Store)):
            return True
    return False


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those in ``if``, ``try`` and ``with`` included."""
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try, ast.With)):
            blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
            blocks += [handler.body for handler in getattr(statement, "handlers", [])]
            for block in blocks:
                yield from _statements(block)
        else:
            yield statement


def _found(message: str, context: Context, line: int = 0, hint: str = "") -> Result:
    file = context.config_name if line else ""
    return Result((Finding(message, "config-parse", file=file, line=line, hint=hint),))
