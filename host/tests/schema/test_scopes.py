from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cogworks.schema.source import text_of

from .project import Project


def values(tmp_path: Path, text: str, name: str = "X") -> list[str]:
    """Return the source of what ``name`` may be at the end of the file, ? if it is unclear."""
    scope = Project(tmp_path, {"run.py": text}).main
    found = [binding.node for binding in scope.candidates(name, None)]
    return ["?" if node is None else text_of(node) for node in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X = 1\nX = 2\n", ["2"]),
        ("X: int = 1\n", ["1"]),
        ("X: int\n", []),
        ("X, (Y, Z) = 1, (2, 3)\n", ["1"]),
        ("Y, X = f()\n", ["f()"]),
        ("Y, *X = 1, 2\n", ["(1, 2)"]),
        ("X = Y = 3\n", ["3"]),
        ("X = 1\nX += 2\n", ["X + 2"]),
        ("X = 1\nif a:\n    X = 2\n", ["1", "2"]),
        ("if a:\n    X = 1\nelse:\n    X = 2\n", ["1", "2"]),
        ("if a:\n    X = 1\nX = 3\n", ["3"]),
        ("if TYPE_CHECKING:\n    X = 1\n", ["1"]),
        ("if __name__ == '__main__':\n    X = 1\n", []),
        ("try:\n    X = 1\nexcept E:\n    X = 2\n", ["1", "2"]),
        ("with a as X:\n    pass\n", ["?"]),
        ("with a:\n    X = 1\n", ["1"]),
        ("for X in a:\n    pass\n", ["?"]),
        ("for i in a:\n    X = i\n", ["?"]),
        ("while a:\n    X = 1\n", ["?"]),
        ("match a:\n    case 1:\n        X = 1\n", ["1"]),
        ("a.X = 1\na[X] = 2\n", []),
    ],
)
def test_bindings_in_force_at_the_end(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert values(tmp_path, text) == expected


def test_binding_counts_from_where_it_stands(tmp_path: Path) -> None:
    scope = Project(tmp_path, {"run.py": "X = 1\nf(X)\nX = 2\n"}).main
    (binding,) = scope.candidates("X", (2, 2))
    assert isinstance(binding.node, ast.Constant)
    assert binding.node.value == 1


def test_name_that_is_bound_later_is_one_that_is_used_later(tmp_path: Path) -> None:
    scope = Project(tmp_path, {"run.py": "f('X')\nclass X: pass\n"}).main
    assert len(scope.candidates("X", (1, 2))) == 1


def test_class_sees_the_module_but_not_the_class_around_it(tmp_path: Path) -> None:
    main = Project(tmp_path, {"run.py": "class A:\n    class B:\n        x = 1\n"}).main
    a = main.candidates("A", None)[0].node
    assert isinstance(a, ast.ClassDef)
    outer = main.class_scope(a)
    b = outer.candidates("B", None)[0].node
    assert isinstance(b, ast.ClassDef)
    assert outer.class_scope(b).outer is main
    assert main.class_scope(a) is outer


def test_functions_are_found_behind_later_bindings(tmp_path: Path) -> None:
    main = Project(tmp_path, {"run.py": "def f(): pass\nf = g(f)\n"}).main
    assert [function.name for function in main.functions("f")] == ["f"]


def test_star_import_does_not_hide_a_name_from_a_function(tmp_path: Path) -> None:
    text = "from cog import Input as I\nfrom other import *\ndef f(): return I\n"
    scope = Project(tmp_path, {"run.py": text, "other.py": "X = 1\n"}).main
    (function,) = scope.functions("f")
    found = scope.inside(function).candidates("I", None)
    assert [type(binding.node).__name__ for binding in found] == ["alias", "alias"]
