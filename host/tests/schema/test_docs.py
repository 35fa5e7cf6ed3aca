"""Every example of docs/schema.md is read; what follows an example as text is its error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cog._schema import generics, value_types
from cogworks.schema import SchemaError, analyze, literals, source, values

from .authors import ROOT

PAGE = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)\n```)?", PAGE, re.DOTALL)
_FILE = re.compile(r"^# ([\w/]+\.py)\n", re.MULTILINE)


def write(folder: Path, text: str) -> str:
    """Write the files of an example; return what its model is called."""
    parts = _FILE.split(text)
    files = dict(zip(parts[1::2], parts[2::2], strict=True)) if len(parts) > 1 else {"run.py": text}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return "Runner" if "Runner" in files["run.py"] else "run"


@pytest.mark.parametrize("text", [text for text, error in EXAMPLES if not error])
def test_example_is_understood(tmp_path: Path, text: str) -> None:
    assert analyze(tmp_path, f"run.py:{write(tmp_path, text)}").inputs


@pytest.mark.parametrize(("text", "message"), [pair for pair in EXAMPLES if pair[1]])
def test_example_of_an_error_says_what_the_page_says(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        analyze(tmp_path, f"run.py:{write(tmp_path, text)}")
    assert str(caught.value).splitlines()[0] == message


def test_there_are_examples_of_both_kinds() -> None:
    assert [bool(error) for _, error in EXAMPLES].count(False) >= 4
    assert [bool(error) for _, error in EXAMPLES].count(True) >= 7


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ("| a file | {} MiB |", source.MAX_SOURCE_BYTES // 2**20),
        ("| a text or a collection | {:,} characters or items |", values.MAX_LENGTH),
        ("| an integer | {:,} bits |", values.MAX_BITS),
        ("{:,} steps, 100 levels |", literals.MAX_STEPS),
        ("| {:,} steps |", literals.MAX_TOTAL_STEPS),
        ("| {:,} fields |", value_types.MAX_FIELDS),
        ("| a generic class inside of itself | {} different types |", value_types.MAX_ALIKE),
        ("| {:,} parts |", generics.MAX_PARTS),
    ],
)
def test_limits_are_those_of_the_code(row: str, limit: int) -> None:
    assert row.format(limit) in PAGE
    assert literals.MAX_NESTING == 100
