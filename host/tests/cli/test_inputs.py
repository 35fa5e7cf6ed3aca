from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli import inputs as inputs_module
from cogworks.cli.errors import InputError
from cogworks.cli.input_schema import InputSchema
from cogworks.cli.inputs import inputs_from_json, inputs_from_pairs, parse_pairs

Make = Callable[..., InputSchema]
STRING = {"type": "string"}
INTEGER = {"type": "integer"}
FILE = {"type": "string", "format": "uri"}
FILES = {"type": "array", "items": FILE}


def read(schema: InputSchema, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
    return inputs_from_pairs(parse_pairs(arguments), schema, io.BytesIO(stdin))


def read_json(schema: InputSchema, text: str, stdin: bytes = b"") -> dict[str, Any]:
    return inputs_from_json(text, schema, io.BytesIO(stdin))


def text_url(content: bytes) -> str:
    return "data:text/plain;base64," + base64.b64encode(content).decode()


@pytest.fixture
def letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of the file letter.txt, which is in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_bytes(b"dear")
    return text_url(b"dear")


def test_an_argument_without_equals_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        parse_pairs(["x"])
    assert str(caught.value) == "Failed to parse input 'x', expected format is 'name=value'"


def test_only_the_first_equals_separates(schema_of: Make) -> None:
    assert read(schema_of(x=STRING), "x=a=b") == {"x": "a=b"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [('"a b"', "a b"), ('"', '"'), ('""', ""), ('"a" and "b"', '"a" and "b"'), ("'a'", "'a'")],
)
def test_one_pair_of_double_quotes_is_removed(written: str, kept: str, schema_of: Make) -> None:
    assert read(schema_of(x=STRING), f"x={written}") == {"x": kept}


def test_a_file_becomes_a_data_url(letter: str, schema_of: Make) -> None:
    assert read(schema_of(x=FILE), "x=@letter.txt") == {"x": letter}


def test_the_home_folder_is_expanded(
    letter: str, schema_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(schema_of(x=FILE), "x=@~/letter.txt") == {"x": letter}


def test_a_repeated_name_is_a_list_in_order(letter: str, schema_of: Make) -> None:
    schema = schema_of(x=FILES, n={"type": "array", "items": INTEGER})
    given = read(schema, "x=@letter.txt", "n=2", "x=https://example.com/b", "n=1")
    assert given == {"x": [letter, "https://example.com/b"], "n": [2, 1]}


def test_a_repeated_name_that_is_no_list_is_told(schema_of: Make) -> None:
    with pytest.raises(InputError, match='invalid input "x": expected integer, got array'):
        read(schema_of(x=INTEGER), "x=1", "x=2")


def test_one_file_for_a_list_is_a_list_of_one(letter: str, schema_of: Make) -> None:
    assert read(schema_of(x=FILES), "x=@letter.txt") == {"x": [letter]}


def test_files_inside_a_json_list_are_read(letter: str, schema_of: Make) -> None:
    assert read(schema_of(x=FILES), 'x=["@letter.txt"]') == {"x": [letter]}


def test_stdin_is_a_file_too(schema_of: Make) -> None:
    assert read(schema_of(x=FILE), "x=@-", stdin=b"dear") == {"x": text_url(b"dear")}


def test_stdin_can_be_read_once(schema_of: Make) -> None:
    with pytest.raises(InputError, match="stdin can be read by one input only"):
        read(schema_of(x=FILES), "x=@-", "x=@-", stdin=b"dear")


def test_a_path_without_at_is_explained(schema_of: Make) -> None:
    with pytest.raises(InputError, match="write @ in front of the path"):
        read(schema_of(x=FILE), "x=photo.jpg")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.png", "cannot read the file 'nowhere.png': No such file or directory"),
        (".", "cannot read the file '.': Is a directory"),
        ("a\0b", "cannot read the file 'a.x00b': embedded null byte"),
        ("", "'@' needs the path of a file after it"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    path: str, reason: str, letter: str, schema_of: Make
) -> None:
    with pytest.raises(InputError, match=reason):
        read(schema_of(x=FILE), f"x=@{path}")


def test_a_file_beyond_the_limit_is_refused(
    letter: str, schema_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs_module, "MAX_FILE_BYTES", 3)
    with pytest.raises(InputError, match="larger than 0 MiB; give a URL"):
        read(schema_of(x=FILE), "x=@letter.txt")


def test_names_are_checked_before_files_are_read(schema_of: Make) -> None:
    with pytest.raises(InputError) as caught:
        read(schema_of(["x"], x=FILE, n=INTEGER), "y=@nowhere", "n=a")
    assert str(caught.value) == (
        "input validation failed:\n"
        '  - unknown input "y"; valid inputs are: x, n\n'
        '  - missing required input "x"\n'
        '  - invalid input "n": expected integer, got string'
    )


def test_an_object_that_is_not_json_is_told_with_its_name(schema_of: Make) -> None:
    with pytest.raises(InputError, match='invalid input "x": is not valid JSON'):
        read(schema_of(x={"type": "object"}), "x=words")


def test_undecodable_arguments_are_told(schema_of: Make) -> None:
    with pytest.raises(InputError, match="must be valid Unicode text"):
        read(schema_of(x=STRING), "x=\udcff")


def test_json_is_taken_as_it_is(schema_of: Make) -> None:
    schema = schema_of(a=STRING, b=INTEGER, c={**STRING, "nullable": True})
    assert read_json(schema, '{"a": "5", "b": 5, "c": null}') == {"a": "5", "b": 5, "c": None}


@pytest.mark.parametrize("source", ["-", "@-"])
def test_json_comes_from_stdin(source: str, schema_of: Make) -> None:
    assert read_json(schema_of(a=STRING), source, b'\xef\xbb\xbf{"a": "x"}') == {"a": "x"}


def test_json_comes_from_a_file(letter: str, schema_of: Make) -> None:
    Path("in.json").write_text('{"a": "@letter.txt", "b": ["@letter.txt"], "c": ["@letter.txt"]}')
    schema = schema_of(a=STRING, b=FILES, c={"type": "array", "items": STRING})
    assert read_json(schema, "@in.json") == {"a": letter, "b": [letter], "c": ["@letter.txt"]}


@pytest.mark.parametrize(
    ("text", "stdin", "message"),
    [
        ("[1]", b"", "must be an object"),
        ("{", b"", "the value of --json is not valid JSON"),
        ("-", b"", "the value of --json is not valid JSON"),
        ("-", b"\xff\xfe", "stdin is not JSON: it is not UTF-8 text"),
        ('{"a": 1, "a": 2}', b"", "has the key 'a' twice"),
        ("@nowhere.json", b"", "cannot read the file 'nowhere.json'"),
        ('{"a": null}', b"", r"must not be null \(omit the input to use its default\)"),
        ('{"a": "@nowhere", "y": 1}', b"", '^unknown input "y"; valid inputs are: a$'),
    ],
)
def test_bad_json_input_is_told(text: str, stdin: bytes, message: str, schema_of: Make) -> None:
    with pytest.raises(InputError, match=message):
        read_json(schema_of(a=STRING), text, stdin)
