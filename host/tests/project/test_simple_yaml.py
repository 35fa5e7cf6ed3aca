"""The small YAML reader: it agrees with the library, or leaves the text to it."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogworks.project.document import DocumentError, read_any
from cogworks.project.nodes import MapNode, ScalarNode
from cogworks.project.simple_yaml import NotSimple, read_simple

TYPICAL = """\
# Configuration
build:
  gpu: true
  python_version: "3.11"   # quoted
  python_requirements: requirements.txt
  system_packages:
    - "libgl1"
    - 'libglib2.0-0'
  run:
  - command: pip install x
    mounts:
      - type: secret
        id: pip

  - echo a#b
environment:
run: "run.py:Runner"
"""


def test_a_typical_file_is_simple() -> None:
    assert read_simple(TYPICAL) == read_any(TYPICAL)[0]


def test_an_empty_file_has_no_root() -> None:
    assert read_simple("") is None
    assert read_simple("# only a comment\n\n") is None


def test_lines_and_raw_text_are_kept() -> None:
    assert read_simple("a:\n  b: 3.10\n  c: '3.10'\n") == MapNode(
        (
            (
                "a",
                1,
                MapNode(
                    (
                        ("b", 2, ScalarNode("3.10", True, 2)),
                        ("c", 3, ScalarNode("3.10", False, 3)),
                    ),
                    2,
                ),
            ),
        ),
        1,
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: [1]",
        "a: {b: 1}",
        "a: |\n  text\n",
        "a: &x 1",
        "a: *x",
        "a: !!str 1",
        'a: "x\\n"',
        "a: one\n  two\n",
        "a: 'it''s'",
        "a: b: c",
        "- a",
        " a: 1",
        "a: 1\na: 2",
        "a:\n\tb: 1",
        "a: 1\x85",
        "--- \na: 1",
        "a: x:",
        "a:\n    b: 1\n  c: 2",
        "a: 1\n  b: 2",
        "- - 1",
        "a: ? b",
        "? a",
        "text",
        "<<: *a",
        'a: "x" y',
        "a:\n- x\n  - y",
    ],
)
def test_anything_unusual_is_left_to_the_library(text: str) -> None:
    with pytest.raises(NotSimple):
        read_simple(text)


def test_deep_nesting_is_left_to_the_library() -> None:
    text = "\n".join(f"{' ' * depth}a:" for depth in range(200))
    with pytest.raises(NotSimple):
        read_simple(text)


FRAGMENTS = st.sampled_from(
    [
        *("a", "b", "key", "x_y", "- ", "-", ":", ": ", " ", "  ", "    ", "\n", "\n  ", "\n- "),
        *("#", " #", '"', "'", "3.10", "true", "null", "~", "a: 1", "b: 'q'", "- x", "- k: v"),
        *("\n    ", "run.py:Runner", "[", "]", "{", "}", "|", ">", "&x", "*x", "!", "%", "@"),
        *("...", "---", "\\", ",", "=", "$", "é", "\r\n", "?", "? ", "<<: ", "\n      c: 2", "/"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
@example("a:\n- b\n- c: d\n  e:\nf:\n")
@example("a: x#y #z\n")
@example("a: 'x'#y\n")
@example("a:\n  # c\n - b\n")
@example("a: #c\n  b: 1\n")
@example("a: .inf\r\nb: /x\r\n")
def test_whatever_it_reads_the_library_reads_the_same(text: str) -> None:
    try:
        simple = read_simple(text)
    except NotSimple:
        return
    try:
        whole, problems = read_any(text)
    except DocumentError as error:
        raise AssertionError(f"the library refuses it: {error}") from error
    assert problems == []
    assert simple == whole


NAMES = st.from_regex(r"[a-z_]{1,6}", fullmatch=True)
TEXTS = st.sampled_from(["run.py:Runner", '"quoted: #"', "'3.10'", "3.10", "true", "a b c", ""])


def render(value: object, indent: int) -> str:
    pad = " " * indent
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value).items()
        return "".join(f"{pad}{name}:{inline(below, indent)}" for name, below in entries)
    items = cast("list[str]", value)
    return "".join(f"{pad}- {below}\n" for below in items)


def inline(value: object, indent: int) -> str:
    if isinstance(value, str):
        return f" {value}\n"
    return "\n" + render(value, indent + 2)


@pytest.mark.slow
@given(
    st.recursive(
        TEXTS | st.lists(TEXTS.filter(bool), max_size=3),
        lambda below: st.dictionaries(NAMES, below, max_size=4),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_block_documents_are_read_without_the_library(value: object) -> None:
    text = render(value, 0)
    assert read_simple(text) == read_any(text)[0]
