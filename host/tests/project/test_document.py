"""The YAML reader: what it returns, and how it says what is wrong."""

from __future__ import annotations

import pytest

from cogworks.project.document import (
    MAX_DEPTH,
    MAX_DOCUMENT_CHARS,
    MAX_MERGED_ENTRIES,
    DocumentError,
    read_document,
)
from cogworks.project.errors import Problem
from cogworks.project.nodes import ListNode, MapNode, ScalarNode


def complaint(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    return caught.value.problem.render("f")


def test_flow_collections_keep_lines_and_raw_text() -> None:
    root, problems = read_document('a: [3.10, "3.10"]\n')
    items = (ScalarNode("3.10", True, 1), ScalarNode("3.10", False, 1))
    assert root == MapNode((("a", 1, ListNode(items, 1)),), 1)
    assert problems == []


def test_block_scalars_are_texts() -> None:
    root, _ = read_document("a: |\n  one\n  two\n")
    assert root == MapNode((("a", 1, ScalarNode("one\ntwo\n", False, 1)),), 1)


def test_a_duplicate_key_names_the_first_line_and_keeps_its_value() -> None:
    root, problems = read_document("a: 1\nb: 2\na: 3\n")
    assert problems == [Problem(3, "a", "this key is given twice; the first is in line 1")]
    assert isinstance(root, MapNode)
    assert root.entries[0] == ("a", 1, ScalarNode("1", True, 1))


def test_an_alias_is_the_node_itself() -> None:
    root, _ = read_document("a: &x [1]\nb: *x\n")
    assert isinstance(root, MapNode)
    assert root.entries[0][2] is root.entries[1][2]


def test_a_merge_key_copies_entries_that_are_not_given() -> None:
    root, _ = read_document("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n")
    assert isinstance(root, MapNode)
    merged = root.entries[1][2]
    assert isinstance(merged, MapNode)
    assert {name: value for name, _, value in merged.entries} == {
        "p": ScalarNode("1", True, 1),
        "q": ScalarNode("3", True, 4),
    }


def test_a_merge_key_takes_a_list_whose_first_wins() -> None:
    root, _ = read_document("a: &x {p: 1}\nb: &y {p: 2, q: 3}\nc: {<<: [*x, *y]}\n")
    assert isinstance(root, MapNode)
    merged = root.entries[2][2]
    assert isinstance(merged, MapNode)
    assert [value for _, _, value in merged.entries] == [
        ScalarNode("1", True, 1),
        ScalarNode("3", True, 2),
    ]


def test_nested_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    root, _ = read_document("\n".join(lines))
    assert isinstance(root, MapNode)
    assert len(root.entries) == 60


def test_merging_without_end_is_stopped() -> None:
    lines = ["a: &a {" + ", ".join(f"k{n}: 1" for n in range(200)) + "}"]
    lines += [f"b{n}: {{<<: *a}}" for n in range(MAX_MERGED_ENTRIES // 200 + 1)]
    assert f"<< copies more than {MAX_MERGED_ENTRIES} entries" in complaint("\n".join(lines))


def test_deep_nesting_is_stopped_at_once() -> None:
    assert read_document("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))[1] == []
    assert complaint("a: " + "[" * 200) == "f:1: more than 100 levels lie in one another"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1\n", "f:2: the line is indented with a tab; use spaces"),
        ("a: 1\n---\nb: 2\n", "f:2: there is a second YAML document; one file holds one"),
        ("a: *x\n", "f:1: the alias *x is not defined before this line"),
        ("a: &x [*x]\n", "f:1: the alias *x contains itself"),
        ("? [a]\n: 1\n", "f:1: a key must be text, not a list or a mapping"),
        ("a:\n  <<: 3\n", "f:2: << must be followed by a mapping"),
        ("a: !python/object:os.system x\n", 'f:1: the tag "!python/object:os.system" has no'),
        ("a: 1\nb: [1\n", "f:3: this is not valid YAML: "),
        ("a: b: c\n", "f:1: this is not valid YAML: mapping values are not allowed here"),
        ("a: 1\n  b: 2\n", "f:2: this is not valid YAML: "),
        ("a: \x00\n", "f:1: this is not valid YAML: "),
        ('a: "\n', "f:2: this is not valid YAML: "),
        ("%YAML 9.9\n---\na: 1\n", "f:1: this is not valid YAML: "),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, expected: str) -> None:
    assert complaint(text).startswith(expected)


def test_a_document_above_the_limit_is_refused_with_the_number() -> None:
    assert str(MAX_DOCUMENT_CHARS) in complaint("a" * (MAX_DOCUMENT_CHARS + 1))


@pytest.mark.parametrize(
    ("text", "plain"),
    [("!!str 3.1", False), ("! 3.1", False), ("!!float 3.1", True), ("3.1", True)],
)
def test_standard_tags_decide_whether_a_scalar_is_text(text: str, plain: bool) -> None:
    root, _ = read_document(f"a: {text}\n")
    assert isinstance(root, MapNode)
    assert root.entries[0][2] == ScalarNode("3.1", plain, 1)
