"""Which functions are read as expressions; Python itself is the judge of how arguments are bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cogworks.schema.entities import FunctionEntity
from cogworks.schema.functions import find_helper
from cogworks.schema.literals import Folder
from cogworks.schema.values import Unknown

from .project import Project, expression

MAIN = '''
import functools

FACTOR = 3

def double(x): return x * 2
def both(a, /, b, *, c=FACTOR):
    """With a docstring."""
    return [a, b, c]
def rest(a, *more, **named): return [a, list(more), named]
@functools.cache
def cached(): return 1
@wrap
def wrapped(): return 1
async def later(): return 1
def two():
    x = 1
    return x
def nothing(): return
def endless(): return endless()
apply = lambda f, x: f(x)

class Class:
    @staticmethod
    def static(x): return x
    @classmethod
    def bound(cls, x=5): return x
    def method(self): return 1
'''


KNOWN: list[tuple[str, Any]] = [
    ("double(4)", 8),
    ("double(x='a')", "aa"),
    ("both(1, 2)", [1, 2, 3]),
    ("both(1, b=2, c=4)", [1, 2, 4]),
    ("both(*[1, 2], **{'c': 5})", [1, 2, 5]),
    ("rest(1)", [1, [], {}]),
    ("rest(1, 2, 3, z=4)", [1, [2, 3], {"z": 4}]),
    ("cached()", 1),
    ("Class.static(2)", 2),
    ("Class.bound()", 5),
    ("Class.bound(6)", 6),
    ("apply(double, 3)", 6),
    ("[double(double(n)) for n in range(3)]", [0, 4, 8]),
    ("(lambda x, y=2: x + y)(1)", 3),
    ("sorted([3, 1, 2], key=lambda n: -n)", [3, 2, 1]),
]


def fold(tmp_path: Path, text: str) -> Any:
    project = Project(tmp_path, {"run.py": MAIN})
    return Folder(project.names).fold(expression(text), project.main)


@pytest.mark.parametrize(("text", "value"), KNOWN)
def test_call_of_a_helper_is_its_expression(tmp_path: Path, text: str, value: Any) -> None:
    assert fold(tmp_path, text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("double()", "double() needs an argument for x"),
        ("double(1, 2)", "the arguments do not fit double()"),
        ("double(1, x=2)", "the arguments do not fit double()"),
        ("double(y=2)", "the arguments do not fit double()"),
        ("wrapped()", "`wrapped()` does more than return an expression, or is decorated"),
        ("later()", "`later()` does more than return an expression, or is decorated"),
        ("two()", "`two()` does more than return an expression, or is decorated"),
        ("nothing()", "`nothing()` does more than return an expression, or is decorated"),
        ("endless()", "it takes too many steps to find out"),
        ("double", "double is a function"),
        ("str(double)", "double is a function"),
        ("f'{double}'", "double is a function"),
    ],
)
def test_call_that_cannot_be_followed_says_why(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(Unknown) as caught:
        fold(tmp_path, text)
    assert caught.value.why == why


def test_helper_sees_what_is_set_until_it_is_called(tmp_path: Path) -> None:
    text = "X = 1\ndef f(): return X\nX = 2\n"
    project = Project(tmp_path, {"run.py": text})
    (entity,) = project.names.look_up("f", project.main, None)
    assert isinstance(entity, FunctionEntity)
    helper = find_helper(entity)
    assert helper is not None
    assert len(helper.scope.candidates("X", (2, 20))) == 2
