from __future__ import annotations

import ast
from pathlib import Path

from cogworks.schema import find_problems
from cogworks.schema.parts import Function, split_parameters

from .authors import SIGNATURES


def parsed(text: str) -> Function:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function


def test_each_parameter_comes_alone_with_its_default() -> None:
    function = parsed("def f(self, a, /, b: int = 1, *c, d, e=2, **g) -> str: ...")
    parts = split_parameters(function, skip_self=True)
    assert [ast.unparse(part.args) for part in parts] == [
        "",
        "a, /",
        "b: int=1",
        "*c",
        "d",
        "e=2",
        "**g",
    ]
    assert ast.unparse(function.args) == "self, a, /, b: int=1, *c, d, e=2, **g"


def test_every_mistake_of_a_signature_is_found(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "class Runner:\n    def setup(self, x): ...\n    def run(self, a, b: bytearray, c: int): ...\n"
    )
    found = find_problems(tmp_path, "run.py:Runner")
    assert [(problem.line, problem.reason.split(":")[0]) for problem in found] == [
        (2, "unexpected setup() arguments"),
        (3, "missing type annotation for input"),
        (3, "b"),
        (3, "run() must have a return type annotation"),
    ]


def test_a_signature_without_mistakes_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("def run(a: str) -> str: ...\n")
    assert find_problems(tmp_path, "run.py:run") == []


def test_every_fixture_of_a_mistake_has_at_least_that_problem() -> None:
    for file in sorted((SIGNATURES / "errors").glob("*.py")):
        first = file.read_text(encoding="utf-8").split("\n", 1)[0]
        name = first[2:].partition(":")[0].partition(" ")[0]
        mode = "train" if "(train)" in first.partition(":")[0] else "run"
        assert find_problems(file.parent, f"{file.name}:{name}", mode), file.name
