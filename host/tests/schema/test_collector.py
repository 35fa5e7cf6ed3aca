"""What statements bind; ``test_scopes`` has what is in force when."""

from __future__ import annotations

import ast

import pytest

from cogworks.schema.bindings import Part, in_force
from cogworks.schema.collector import Collector


def collect(text: str) -> Collector:
    collector = Collector()
    collector.collect(ast.parse(text).body)
    return collector


def last(text: str, name: str = "X") -> list[str]:
    """Return what ``name`` may be after ``text``: - deleted, ? unclear, ... nothing certain."""
    bindings = in_force(collect(text).found.get(name, []))
    shown: list[str] = []
    for item in bindings:
        if item.node is None:
            shown.append("-" if item.is_deleted else "?")
        else:
            shown.append(ast.unparse(item.node) if isinstance(item.node, ast.expr) else "def")
    return shown if not bindings or bindings[0].starts else ["...", *shown]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X = 0\nif a: X = 1\nelse: X = 2", ["1", "2"]),
        ("X = 0\nif a: X = 1\nelif b: X = 2", ["0", "1", "2"]),
        ("X = 0\nif a: X = 1\nelif b: X = 2\nelse: X = 3", ["1", "2", "3"]),
        ("X = 0\nif a: X = 1\nelse: raise E", ["1"]),
        ("X = 0\nif a: sys.exit(1)", ["0"]),
        ("if True: X = 1\nelse: X = 2", ["1"]),
        ("if False: X = 1\nelse: X = 2", ["2"]),
        ("if TYPE_CHECKING: X = 1\nelse: X = 2", ["2"]),
        ("if TYPE_CHECKING: X = 1", ["...", "1"]),
        ("X = 0\nif TYPE_CHECKING: X = 1", ["0", "1"]),
        ("X = 0\ntry: X = 1\nexcept E: pass", ["0", "1"]),
        ("X = 0\ntry: X = 1\nexcept E: raise", ["1"]),
        ("X = 0\ntry: X = 1\nexcept E: X = 2", ["1", "2"]),
        ("X = 0\ntry: X = 1\nfinally: X = 2", ["2"]),
        ("try: pass\nexcept E as X: pass", ["...", "?"]),
        ("X = 0\nwith suppress(E): X = 1", ["0", "1"]),
        ("X = 0\nwith a: X = 1", ["1"]),
        ("with a as (X, Y): pass", ["?"]),
        ("match a:\n case [X, *Y]: pass", ["...", "?"]),
        ("match a:\n case {**X}: pass", ["...", "?"]),
        ("X = 0\nwhile a: X = 1", ["0", "?"]),
        ("X = 0\ndel X", ["-"]),
        ("X = 0\nif a: del X", ["0"]),
        ("print(X := 1)", ["1"]),
        ("if (X := 1): pass", ["1"]),
        ("a and (X := 1)", ["...", "?"]),
        ("[X := i for i in a]", ["...", "?"]),
        ("with open(X := 1): pass", ["1"]),
        ("def f(a=(X := 1)): pass", []),
        ("class X: pass\nX = f(X)", ["f(X)"]),
    ],
)
def test_binding_after_statements(text: str, expected: list[str]) -> None:
    assert last(text) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("X, Y = a", (Part(0, 2),)),
        ("Y, *X, Z = a", (Part(1, 3, 1),)),
        ("Y, (Z, X) = a", (Part(1, 2), Part(1, 2))),
        ("Y, (Z, X) = 1, a", (Part(1, 2),)),
    ],
)
def test_part_of_an_unpacked_value_has_its_path(text: str, path: tuple[Part, ...]) -> None:
    (binding,) = collect(text).found["X"]
    assert binding.path == path


def test_long_chain_of_conditions_is_no_deep_one() -> None:
    chain = "if a: X = 1\n" + "elif b: X = 1\n" * 800
    assert len(last(chain)) == 802


def test_annotations_are_kept_by_name() -> None:
    assert set(collect("x: int\nif a:\n    y: str = 'a'\n").annotations) == {"x", "y"}
