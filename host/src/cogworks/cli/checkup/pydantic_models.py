"""Outputs that are pydantic's models with ``arbitrary_types_allowed``, which cog's need not be."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import CannotFix, Context, Result
from cogworks.cli.checkup.config_checks import NO_CONFIG
from cogworks.cli.checkup.python_checks import model_functions
from cogworks.cli.checkup.source import NotEditable, SourceText, imports_from, used_names
from cogworks.cli.findings import Finding, Severity

OPTION = "arbitrary_types_allowed"
CLASH_NAME = "CogBaseModel"


def find_arbitrary_types(context: Context) -> Result:
    """Find classes of outputs that allow arbitrary types."""
    if context.project is None:
        return NO_CONFIG
    findings = tuple(
        Finding(
            f"{cls.name} derives from pydantic.BaseModel with {OPTION}",
            "python-pydantic-basemodel",
            Severity.WARNING,
            source.name,
            cls.lineno,
            hint="Use `from cog import BaseModel`, which takes Path and File as they are",
        )
        for source, cls in _outputs(context)
    )
    return Result(findings)


def use_cogs_model(context: Context) -> Changes:
    """Return the files with cog's BaseModel in place of pydantic's.

    Raises:
        CannotFix: a class uses more of pydantic than its base.
    """
    by_name: dict[str, tuple[SourceText, list[ast.ClassDef]]] = {}
    for source, cls in _outputs(context):
        # Each look reads the files anew; the first of a file is the one that is changed.
        kept, classes = by_name.setdefault(source.name, (source, []))
        classes += [each for each in _models(kept) if each.name == cls.name]
    try:
        files = {source.path: _rewrite(source, classes) for source, classes in by_name.values()}
    except NotEditable as error:
        raise CannotFix(str(error)) from error
    return Changes(files)


def _outputs(context: Context) -> Iterator[tuple[SourceText, ast.ClassDef]]:
    seen: set[tuple[str, str]] = set()
    for source, function in model_functions(context):
        names = (
            {name.id for name in used_names(function.returns)} if function.returns else set[str]()
        )
        for cls in _models(source):
            if cls.name in names and _options(cls) and (source.name, cls.name) not in seen:
                seen.add((source.name, cls.name))
                yield source, cls


def _models(source: SourceText) -> list[ast.ClassDef]:
    """Return the classes that derive from pydantic's BaseModel first of all."""
    bases = {"pydantic.BaseModel", *_local_names(source, "BaseModel")}
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    return [cls for cls in classes if cls.bases and ast.unparse(cls.bases[0]) in bases]


def _local_names(source: SourceText, name: str) -> set[str]:
    return {
        alias.asname or alias.name
        for statement in imports_from(source.tree, "pydantic")
        for alias in statement.names
        if alias.name == name
    }


def _options(cls: ast.ClassDef) -> list[ast.stmt]:
    """Return the statements that configure the class, if they allow arbitrary types."""
    found: list[ast.stmt] = [node for node in cls.body if _is_configuration(node)]
    return found if any(OPTION in ast.unparse(node) for node in found) else []


def _rewrite(source: SourceText, classes: list[ast.ClassDef]) -> bytes:
    for cls in classes:
        _require_plain(source, cls)
        source.remove(_options(cls))
    changed = {id(name) for cls in classes for base in cls.bases for name in used_names(base)}
    removed = {id(name) for cls in classes for node in _options(cls) for name in used_names(node)}
    names_left = {name.id for name in used_names(source.tree) if id(name) not in changed | removed}
    base_names = _local_names(source, "BaseModel")
    is_clash = bool({"BaseModel"} & names_left) or _defines_base_model(source, base_names)
    new_name = CLASH_NAME if is_clash else "BaseModel"
    for cls in classes:
        if ast.unparse(cls.bases[0]) != new_name:
            source.replace(cls.bases[0], new_name)
    orphans = (base_names | _local_names(source, "ConfigDict")) - names_left
    for statement in imports_from(source.tree, "pydantic"):
        gone = orphans & {alias.asname or alias.name for alias in statement.names}
        if gone:
            source.remove_names(statement, gone)
    if "pydantic" not in names_left:
        _remove_module(source)
    _import_from_cog(source, f"BaseModel as {CLASH_NAME}" if is_clash else "BaseModel", new_name)
    return source.result()


def _remove_module(source: SourceText) -> None:
    """Remove ``import pydantic`` where the classes that were changed alone used it."""
    if "pydantic" not in {name.id for name in used_names(source.tree)}:
        return
    for statement in source.tree.body:
        if isinstance(statement, ast.Import):
            names = {alias.asname or alias.name for alias in statement.names}
            if "pydantic" in names:
                source.remove_names(statement, {"pydantic"})


def _import_from_cog(source: SourceText, imported: str, name: str) -> None:
    """Add a name to the import from cog, or write one."""
    statements = [node for node in imports_from(source.tree, "cog") if node in source.tree.body]
    if any(name == (alias.asname or alias.name) for node in statements for alias in node.names):
        return
    if statements and statements[0].names[-1].name != "*":
        source.insert_after(statements[0].names[-1], f", {imported}")
    else:
        source.insert_before(_first_import(source), f"from cog import {imported}")


def _require_plain(source: SourceText, cls: ast.ClassDef) -> None:
    """Refuse a class that does what only pydantic's classes can."""
    options = _options(cls)
    for node in options:
        names = [keyword.arg for keyword in _arguments(node)]
        if isinstance(node, ast.ClassDef):
            names = [name.id for name in used_names(node) if isinstance(name.ctx, ast.Store)]
        if names != [OPTION]:
            raise CannotFix(f"{cls.name} has other settings beside {OPTION}")
    if len(cls.bases) != 1 or cls.keywords:
        raise CannotFix(f"{cls.name} has more than one base")
    foreign = {
        alias.asname or alias.name
        for statement in imports_from(source.tree, "pydantic")
        for alias in statement.names
    } - _local_names(source, "BaseModel")
    for node in cls.body:
        used = (
            {name.id for name in used_names(node)} & foreign if node not in options else set[str]()
        )
        if used or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            what = ", ".join(sorted(used)) or getattr(node, "name", "")
            raise CannotFix(f"{cls.name} uses {what}, which cog's BaseModel may not have")


def _is_configuration(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name == "Config"
    is_assignment = isinstance(node, (ast.Assign, ast.AnnAssign))
    return is_assignment and "model_config" in {name.id for name in used_names(node)}


def _arguments(node: ast.stmt) -> list[ast.keyword]:
    """Return the named arguments of ``model_config = ConfigDict(...)``."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return value.keywords if isinstance(value, ast.Call) else []


def _defines_base_model(source: SourceText, from_pydantic: set[str]) -> bool:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name == "BaseModel":
            return True
        if isinstance(node, ast.ImportFrom) and node.module not in ("cog", "pydantic"):
            names = {alias.asname or alias.name for alias in node.names}
            if "BaseModel" in names:
                return True
    return "BaseModel" not in from_pydantic and any(
        name.id == "BaseModel" for name in used_names(source.tree)
    )


def _first_import(source: SourceText) -> ast.stmt:
    """Return the statement that the new import goes above: ``__future__`` stays first."""
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            return node
        if isinstance(node, ast.Import):
            return node
    return source.tree.body[-1]
