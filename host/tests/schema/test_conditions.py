from __future__ import annotations

import ast

import pytest

from cogworks.schema.conditions import decide, leaves


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("True", True),
        ("0", False),
        ("not 1", False),
        ("TYPE_CHECKING", False),
        ("typing.TYPE_CHECKING", False),
        ("not TYPE_CHECKING", True),
        ("__name__ == '__main__'", False),
        ("sys.version_info >= (3, 9)", True),
        ("sys.version_info > (3,)", True),
        ("sys.version_info < (3, 8)", False),
        ("sys.version_info <= (3, 9)", False),
        ("sys.version_info >= (3, 10)", None),
        ("sys.version_info == (3, 9)", None),
        ("sys.version_info >= VERSION", None),
        ("version_info >= (3, 9)", None),
        ("DEBUG", None),
        ("DEBUG or True", True),
        ("DEBUG and False", False),
        ("DEBUG and True", None),
        ("True and 1", True),
    ],
)
def test_outcome_of_a_condition(text: str, outcome: bool | None) -> None:
    assert decide(ast.parse(text, mode="eval").body) is outcome


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("raise X", True),
        ("x = 1\nraise X", True),
        ("sys.exit(1)", True),
        ("exit()", True),
        ("if a:\n    raise X\nelse:\n    sys.exit()", True),
        ("if a:\n    raise X", False),
        ("pass", False),
        ("log('x')", False),
    ],
)
def test_block_that_ends_the_import(text: str, result: bool) -> None:
    assert leaves(ast.parse(text).body) is result


def test_empty_block_ends_nothing() -> None:
    assert not leaves([])
