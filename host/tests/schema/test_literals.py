"""Folding of constants: ``eval`` is the judge wherever the result is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cogworks.schema.literals import Folder
from cogworks.schema.values import Unknown

from .project import Project, expression

MAIN = """
    import config
    import os
    import some_library
    from cog import Path, Secret

    A = 1
    B = A + 1
    NAMES = ["a", "b"]
    TABLE = {"x": some_library.Thing, "y": 2}
    GROWN = []
    GROWN.append(1)

    if os.name:
        EITHER = 1
    else:
        EITHER = 2

    if os.name:
        SAME = 1
    else:
        SAME = 1

    for LAST in NAMES:
        pass

    class Class:
        attribute = NAMES[0]

    def function(): ...
"""

FILES = {"run.py": MAIN, "config.py": "LIMIT = 2 ** 4\n"}

KNOWN: list[tuple[str, Any]] = [
    ("B * 2", 4),
    ("config.LIMIT", 16),
    ("Class.attribute", "a"),
    ("list(TABLE)", ["x", "y"]),
    ("TABLE['y']", 2),
    ("len(TABLE)", 2),
    ("[key for key, value in TABLE.items()]", ["x", "y"]),
    ("SAME", 1),
    ("Path('a')", "a"),
    ("Secret('b')", "b"),
    ("f'{A:03d}-{NAMES!r}'", "001-['a', 'b']"),
    ("{**{'a': A}, 'b': B}", {"a": 1, "b": 2}),
    ("[x for n in NAMES for x in (n, n.upper()) if x != 'b']", ["a", "A", "B"]),
    ("{n: i for i, n in enumerate(NAMES)}", {"a": 0, "b": 1}),
    ("', '.join(sorted({'c', 'a'}))", "a, c"),
    ("max({1, 3})", 3),
    ("'a' in {'a'}", True),
    ("1 if A > B else 2", 2),
    ("A < B < 3", True),
    ("0 or '' or 'x'", "x"),
    ("'%s-%d' % ('a', 3)", "a-3"),
    ("NAMES[::-1]", ["b", "a"]),
    ("not -~+A", False),
    ("dict(key=A, default=2)", {"key": 1, "default": 2}),
    ("max([], default=3)", 3),
]

UNKNOWN = [
    ("missing", "the name `missing` is not found"),
    ("config.missing", "`config.missing` is not found"),
    ("os.environ", "`os.environ` belongs to os"),
    ("os.getpid()", "`os.getpid(...)` is only known when the code runs"),
    ("open('x')", "`open(...)` is only known when the code runs"),
    ("function()", "`function()` does more than return an expression, or is decorated"),
    ("function", "`function` is a function"),
    ("Class", "`Class` is a class"),
    ("config", "`config` is a module"),
    ("TABLE['x']", "`some_library.Thing` belongs to some_library"),
    ("list(TABLE.values())", "`some_library.Thing` belongs to some_library"),
    ("str(TABLE)", "`some_library.Thing` belongs to some_library"),
    ("GROWN", "`GROWN` is changed in run.py:12"),
    ("EITHER", "`EITHER` is set in several places, under conditions"),
    ("LAST", "what `LAST` is in run.py:24 is not constant"),
    ("list({'a', 'b'})", "the order of a set is not fixed"),
    ("1 / 0", "it raises ZeroDivisionError: division by zero"),
    ("NAMES[9]", "it raises IndexError: list index out of range"),
    ("'a' + 1", 'it raises TypeError: can only concatenate str (not "int") to str'),
    ("lambda: 1", "the lambda is a function"),
    ("len", "`len` is a function"),
    ("'x'.encode()", "`.encode()` of a str is not constant"),
    ("A.__class__", "`A.__class__` is not found"),
    ("9 ** 9 ** 9", "the number is too large"),
    ("1 << 99999", "the number is too large"),
    ("'x' * 10 ** 9", "the value is too large"),
    ("[0] * 10 ** 9", "the value is too large"),
    ("list(range(10 ** 9))", "the range is too large"),
    ("'{:>99999}'.format(1)", "the format is too wide"),
    ("'{:>{}}'.format(1, 99999)", "such a format is not constant"),
    ("'{0.__class__}'.format(1)", "such a format is not constant"),
    ("'%99999d' % 1", "the format is too wide"),
    ("f'{1:99999}'", "the format is too wide"),
    ("('x' * 9999).replace('x', 'y' * 9999)", "the value is too large"),
    ("[1 for a in range(999) for b in range(999)]", "it takes too many steps to find out"),
    ("+".join(["1"] * 150), "it takes too many steps to find out"),
]


def fold(tmp_path: Path, text: str) -> Any:
    project = Project(tmp_path, FILES)
    return Folder(project.names).fold(expression(text), project.main)


@pytest.mark.parametrize(("text", "value"), KNOWN)
def test_constant_is_folded(tmp_path: Path, text: str, value: Any) -> None:
    folded = fold(tmp_path, text)
    assert folded == value
    assert type(folded) is type(value)


@pytest.mark.parametrize(("text", "why"), UNKNOWN)
def test_what_is_unknown_says_why(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(Unknown) as caught:
        fold(tmp_path, text)
    assert caught.value.why == why
    assert caught.value.place is not None


def test_local_values_come_first(tmp_path: Path) -> None:
    project = Project(tmp_path, FILES)
    folder = Folder(project.names)
    assert folder.fold(expression("A + len(x)"), project.main, {"A": 5, "x": "ab"}) == 7


def test_steps_are_counted_for_each_expression(tmp_path: Path) -> None:
    project = Project(tmp_path, FILES)
    folder = Folder(project.names)
    node = expression("[n for n in range(9000)]")
    for _ in range(5):
        assert len(folder.fold(node, project.main)) == 9000
