from __future__ import annotations

import sys
from typing import Any, Optional, Union

import pytest

from cog._schema.forward import evaluate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int", int),
        (" Optional[int] ", Optional[int]),
        ("int | None", Optional[int]),
        ("Optional[int | str]", Union[int, str, None]),
        ("Local", float),
    ],
)
def test_strings_become_annotations_on_every_python(text: str, expected: Any) -> None:
    assert evaluate(text, {"Optional": Optional}, {"Local": float}) == expected


@pytest.mark.skipif(sys.version_info >= (3, 10), reason="newer Pythons know the operator")
def test_operator_of_other_things_is_left_alone() -> None:
    assert evaluate("1 + 2", {}, {}) == 3


def test_unknown_names_are_errors() -> None:
    with pytest.raises(NameError):
        evaluate("Missing", {}, {})
