from __future__ import annotations

import ast

import pytest

from cogworks.schema.changes import find_changes


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("X.append(1)", ["X"]),
        ("X[0] = 1", ["X"]),
        ("del X[0]", ["X"]),
        ("X['a'] += 1", ["X"]),
        ("for i in range(3):\n    X.add(i)", ["X"]),
        ("def f():\n    X.update(a=1)", ["X"]),
        ("def f():\n    global X, Y\n    X = 1", ["X", "Y"]),
        ("def f():\n    X = []\n    X.append(1)", []),
        ("def f(X):\n    X.append(1)", []),
        ("class C:\n    def f(self):\n        X.append(1)", []),
        ("if __name__ == '__main__':\n    X.append(1)", []),
        ("X.index(1)", []),
        ("x.y.append(1)", ["x.y"]),
    ],
)
def test_changes_in_place_are_found(text: str, changed: list[str]) -> None:
    assert list(find_changes(ast.parse(text).body)) == changed
