from __future__ import annotations

import ast
import sys

import pytest

from cogworks.schema.grammar import find_older_text, parse

NEWER = """\
type Alias = list[int]
type Pair[T] = tuple[T, T]
class Box[T: int, *Ts]: pass
def run[T](x: T) -> T: ...
class Long[
    T,  # one
    U = int,
](object): x = 1
if True: type = 3; type X = int
type[0] = 1
try: pass
except A, b.C: pass
except (D, E), F[0, 1]: pass
except (G, H): pass
except I as e: pass
"""

OLDER = """\
Alias      = list[int]
Pair         = tuple[T, T]
class Box            : pass
def run   (x: T) -> T: ...
class Long \\
            \\
           \\
 (object): x = 1
if True: type = 3; X      = int
type[0] = 1
try: pass
except A      : pass
except (D, E)       : pass
except (G, H): pass
except I as e: pass
"""


def test_what_is_newer_becomes_blanks_and_assignments() -> None:
    found = find_older_text(NEWER)
    assert found is not None
    older = found[0]
    assert [line.split() for line in older.splitlines()] == [
        line.split() for line in OLDER.splitlines()
    ]
    ast.parse(older)


def test_exceptions_without_parentheses_are_read() -> None:
    tree = parse("try:\n    pass\nexcept A, B:\n    x = 1\n", "run.py")
    assert isinstance(tree.body[0], ast.Try)
    assert tree.body[0].handlers[0].body[0].lineno == 4


def test_lines_and_columns_stay_what_they_are() -> None:
    tree = parse("type Alias = int\nclass Box[T](Base): x = [1]\n", "run.py")
    box = tree.body[1]
    assert isinstance(box, ast.ClassDef)
    assert (box.bases[0].lineno, box.bases[0].col_offset) == (2, 13)
    assert isinstance(box.body[0], ast.Assign)
    assert box.body[0].value.col_offset == 24


@pytest.mark.parametrize(
    "text",
    [
        "try: pass\nexcept A, B as e: pass\n",
        "except A, B: pass\n",
        "type X = = 1\n",
        "class A[T: pass\n",
        "class A[T](\n",
        "type X = '''\n",
    ],
)
def test_what_is_no_python_stays_an_error(text: str) -> None:
    with pytest.raises(SyntaxError):
        parse(text, "run.py")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows the syntax itself")
def test_error_is_about_the_text_as_it_was_written() -> None:
    with pytest.raises(SyntaxError) as caught:
        parse("type X = int\nx = = 1\n", "run.py")
    assert caught.value.text is not None
