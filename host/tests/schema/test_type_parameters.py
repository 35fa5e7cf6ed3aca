from __future__ import annotations

import ast
import io
import sys
import tokenize

import pytest

from cogworks.schema.grammar import find_older_text, parse
from cogworks.schema.type_parameters import parameters_of, read_parameters

TEXT = """\
type L[T] = list[T]
class Box[A: (int, str), *Bs, **C]: pass
async def run[X](x: X) -> X: ...
class Plain: pass
"""


def shown(node: ast.AST) -> list[tuple[str, bool, str]]:
    return [
        (item.name, item.is_several, ast.unparse(item.default) if item.default else "")
        for item in parameters_of(node)
    ]


def test_parameters_are_those_of_the_class_the_alias_or_the_function() -> None:
    alias, box, run, plain = parse(TEXT, "run.py").body
    assert shown(alias) == [("T", False, "")]
    assert shown(box) == [("A", False, ""), ("Bs", True, ""), ("C", True, "")]
    assert shown(run) == [("X", False, "")]
    assert shown(plain) == []


def test_defaults_are_read_from_the_tokens_with_their_place() -> None:
    found = find_older_text("class P[\n    A, B: int = dict[str, A],\n]: pass\n")
    assert found is not None
    ((header, parameters),) = found[1].items()
    assert header == (1, "P")
    assert [item.name for item in parameters] == ["A", "B"]
    default = parameters[1].default
    assert default is not None
    assert ast.unparse(default) == "dict[str, A]"
    assert (default.lineno, default.col_offset) == (2, 16)


def test_a_parameter_is_the_same_each_time() -> None:
    node = parse(TEXT, "run.py").body[0]
    assert parameters_of(node)[0] is parameters_of(node)[0]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows the syntax itself")
def test_what_is_no_expression_is_no_default() -> None:
    tokens = list(tokenize.generate_tokens(io.StringIO("T = list[ + ]").readline))
    assert read_parameters(tokens[:-2])[0].default is None


@pytest.mark.parametrize("text", [",", "*", "T, , U", "T =", "**", "T = , U"])
def test_half_a_list_of_parameters_is_survived(text: str) -> None:
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in (tokenize.NEWLINE, tokenize.ENDMARKER)
    ]
    assert all(item.default is None for item in read_parameters(tokens))
