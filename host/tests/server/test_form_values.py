"""Texts of forms become the values that the schema asks for; what does not fit stays a text."""

from __future__ import annotations

from typing import Any

import pytest

from cogworks.server.form_values import FormSchema

FILE = {"type": "string", "format": "uri"}
PROPERTIES: dict[str, Any] = {
    "second": {**FILE, "x-order": 1, "nullable": True},
    "first": {"type": "array", "items": FILE, "x-order": 0},
    "count": {"type": "integer"},
    "scale": {"type": "number"},
    "flag": {"type": "boolean"},
    "text": {"type": "string"},
    "numbers": {"type": "array", "items": {"type": "integer"}},
    "free": {"type": "object"},
    "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    "choice": {"allOf": [{"$ref": "#/components/schemas/choice"}], "default": 1},
}
SCHEMA = FormSchema(PROPERTIES, {"choice": {"type": "integer", "enum": [1, 2]}})


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("count", ["-7"], -7),
        ("count", ["1", "2"], 2),
        ("count", ["many"], "many"),
        ("count", ["1" * 500], "1" * 500),
        ("scale", ["2"], 2.0),
        ("scale", [".5e1"], 5.0),
        ("scale", ["1e999"], "1e999"),
        ("scale", ["nan"], "nan"),
        ("flag", ["on"], True),
        ("flag", ["False"], False),
        ("flag", ["perhaps"], "perhaps"),
        ("text", ["12"], "12"),
        ("numbers", ["1", "2"], [1, 2]),
        ("numbers", ["[1, 2]"], [1, 2]),
        ("numbers", ["3"], [3]),
        ("free", ['{"a": [1]}'], {"a": [1]}),
        ("free", ["{"], "{"),
        ("free", ["[" * 5000], "[" * 5000),
        ("either", ["3"], 3),
        ("either", ["three"], "three"),
        ("choice", ["2"], 2),
    ],
)
def test_a_text_becomes_what_the_schema_asks_for(
    name: str, texts: list[str], expected: Any
) -> None:
    assert SCHEMA.value(name, texts) == expected


def test_files_are_known_in_the_order_of_the_author() -> None:
    assert SCHEMA.file_names == ["first", "second"]


def test_an_empty_box_is_nothing_unless_it_is_for_text() -> None:
    assert [name for name in PROPERTIES if not SCHEMA.is_none(name, [""])] == ["text"]
