"""From the older interface to the present one: ``predict`` and ``Predictor`` to ``run`` and ``Runner``.

Only the usual form is rewritten: ``predict.py`` with one class ``Predictor`` and its ``predict``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import CannotFix, Context, Result
from cogworks.cli.checkup.config_checks import NO_CONFIG
from cogworks.cli.checkup.source import NotEditable, SourceText, imports_from, used_names
from cogworks.cli.findings import Finding, Severity
from cogworks.project import Project
from cogworks.project.files import DiskFiles
from cogworks.project.parse import examine_text

OLD, NEW = "predict.py:Predictor", "run.py:Runner"
CODE = "predict-to-run-migration"
HINT = "Run `cog doctor --fix`, or rename them yourself: run, Runner, BaseRunner and run.py"

_KEY = re.compile(r"""(["']?)predict\1(\s*:\s*["']?)predict\.py:Predictor(?=["'\s]|$)""")


def find_predict_names(context: Context) -> Result:
    """Find the older names in cog.yaml and in the model."""
    if context.project is None:
        return NO_CONFIG
    return Result(tuple(_old_names(context, context.project)))


def _old_names(context: Context, project: Project) -> Iterator[Finding]:
    finding = Finding("", CODE, Severity.WARNING, hint=HINT)
    if "predict" in project.lines:
        yield replace(
            finding,
            message=f"predict in {context.config_name} is deprecated",
            file=context.config_name,
            line=project.lines["predict"],
        )
    if project.run is None:
        return
    path, _, name = project.run.partition(":")
    source = context.source(path)
    cls = None if source is None else _find_class(source, name)
    if source is None or cls is None:
        return
    for base in cls.bases:
        if ast.unparse(base) in ("BasePredictor", "cog.BasePredictor"):
            message = "BasePredictor is deprecated, use BaseRunner"
            yield replace(finding, message=message, file=source.name, line=base.lineno)
    for method in _methods(cls, "predict"):
        message = f"{name}.predict() is deprecated, use run()"
        yield replace(finding, message=message, file=source.name, line=method.lineno)


def migrate(context: Context) -> Changes:
    """Return the new cog.yaml and ``run.py``, and ``predict.py`` gone.

    Raises:
        CannotFix: the project is not of the usual form.
    """
    source, cls = _require_usual_form(context)
    old_path, new_path = source.path, source.path.with_name("run.py")
    _rename(source, cls)
    try:
        model = source.result()
    except NotEditable as error:
        raise CannotFix(str(error)) from error
    if b"class Runner" not in model or b"def run" not in model:
        raise CannotFix("predict.py is written in an unusual way")
    config = context.directory / context.config_name
    files = {new_path: model, config: _migrate_config(context), old_path: None}
    return Changes(files, renamed_from={new_path: old_path})


def _require_usual_form(context: Context) -> tuple[SourceText, ast.ClassDef]:
    project = context.project
    if project is None or context.examined is None or context.examined.problems:
        raise CannotFix("cog.yaml has other problems")
    if "predict" not in project.lines:
        raise CannotFix("run is set already; the names in the model can be changed one by one")
    if project.run != OLD:
        raise CannotFix(f'only "{OLD}" is rewritten automatically')
    if (context.directory / "run.py").exists():
        raise CannotFix("run.py already exists")
    source = context.source("predict.py")
    if source is None:
        raise CannotFix("predict.py cannot be read")
    _refuse_importers(context)
    return source, _require_class(source)


def _require_class(source: SourceText) -> ast.ClassDef:
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    predictors = [cls for cls in classes if list(_methods(cls, "predict"))]
    cls = _find_class(source, "Predictor")
    if cls is None or predictors != [cls] or len(list(_methods(cls, "predict"))) != 1:
        raise CannotFix("predict.py needs one class, Predictor, with one method predict")
    if list(_methods(cls, "run")):
        raise CannotFix("Predictor has a method run already")
    names = {node.id for node in used_names(source.tree)} | {each.name for each in classes}
    taken = sorted({"Runner", "BaseRunner"} & names)
    if taken:
        raise CannotFix(f"predict.py uses the name {taken[0]} already")
    base = ast.unparse(cls.bases[0]) if len(cls.bases) == 1 else ""
    is_imported = any(
        alias.name == "BasePredictor" and alias.asname is None
        for statement in imports_from(source.tree, "cog")
        for alias in statement.names
    )
    if not (base == "cog.BasePredictor" or (base == "BasePredictor" and is_imported)):
        raise CannotFix("Predictor is not derived from cog's BasePredictor alone")
    return cls


def _refuse_importers(context: Context) -> None:
    for source in context.sources_with(b"predict"):
        for node in ast.walk(source.tree):
            is_from = isinstance(node, ast.ImportFrom) and node.module == "predict"
            is_plain = isinstance(node, ast.Import) and any(
                alias.name.partition(".")[0] == "predict" for alias in node.names
            )
            if is_from or is_plain:
                raise CannotFix(f"{source.name} imports predict")


def _rename(source: SourceText, cls: ast.ClassDef) -> None:
    for statement in imports_from(source.tree, "cog"):
        for alias in statement.names:
            if alias.name == "BasePredictor":
                source.rename(alias, "BasePredictor", "BaseRunner")
    _rename_definition(source, cls, "class", "Predictor", "Runner")
    for method in _methods(cls, "predict"):
        _rename_definition(source, method, "def", "predict", "run")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "BasePredictor":
            source.rename(node, "BasePredictor", "BaseRunner")
        elif isinstance(node, ast.Name) and node.id == "Predictor":
            source.rename(node, "Predictor", "Runner")
        elif isinstance(node, ast.Attribute):
            _rename_attribute(source, node)


def _rename_attribute(source: SourceText, node: ast.Attribute) -> None:
    owner = ast.unparse(node.value)
    if node.attr == "BasePredictor" and owner == "cog":
        source.rename(node, "BasePredictor", "BaseRunner", last=True)
    # Any other object's predict() is its own, a scikit-learn model's for example.
    elif node.attr == "predict" and re.fullmatch(r"self|super\(\)|Predictor(\(.*\))?", owner):
        source.rename(node, "predict", "run", last=True)


def _rename_definition(
    source: SourceText, node: ast.stmt, keyword: str, old: str, new: str
) -> None:
    # What comes after the keyword is the name; decorators are not part of the node's place.
    source.rename(node, f"{keyword} {old}", f"{keyword} {new}")


def _migrate_config(context: Context) -> bytes:
    assert context.project is not None
    path = context.directory / context.config_name
    text = path.read_bytes().decode("utf-8")
    lines = text.splitlines(keepends=True)
    number = context.project.lines["predict"] - 1
    new_line, count = _KEY.subn(rf"\1run\1\2{NEW}", lines[number], count=1)
    if count != 1:
        raise CannotFix(f"line {number + 1} of {context.config_name} is written in an unusual way")
    lines[number] = new_line
    changed = "".join(lines)
    # Comments and everything else stay as they are; what it means is compared all the same.
    examined = examine_text(changed.removeprefix("\ufeff"), path, DiskFiles())
    expected = replace(
        context.project, run=NEW, warnings=examined.known.warnings, lines=examined.known.lines
    )
    if examined.problems or examined.known != expected:
        raise CannotFix(f"{context.config_name} is written in an unusual way")
    return changed.encode()


def _find_class(source: SourceText, name: str) -> ast.ClassDef | None:
    found = [n for n in source.tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    return found[0] if len(found) == 1 else None


def _methods(cls: ast.ClassDef, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in cls.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            yield node
