"""From `-i name=value` and `--json` to the checked input of a prediction.

The order matters to people: names are checked before any file is read, and everything is
checked before anything is started. All problems are told at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cogworks.cli.coercion import NotJson, coerce_text, parse_json
from cogworks.cli.data_url import encode_data_url
from cogworks.cli.errors import InputError, quote
from cogworks.cli.input_schema import InputSchema, Schema
from cogworks.cli.json_values import is_array, is_object
from cogworks.cli.validation import name_problems, value_problems
from cogworks.server.media import media_type_of

MAX_FILE_BYTES = 512 * 1024 * 1024
"""A file input travels inside JSON and is held in memory a few times; beyond this, use a URL."""
STDIN_NAMES = ("-", "@-")


@dataclass(frozen=True)
class Pair:
    """One `-i name=value` as it was written, without the quotes around the value."""

    name: str
    text: str

    @property
    def is_file(self) -> bool:
        """Return whether the value names a file: it starts with `@`."""
        return self.text.startswith("@")


def parse_pairs(arguments: Sequence[str]) -> list[Pair]:
    """Return the pairs of `-i` options.

    Raises:
        InputError: an argument has no `=`.
    """
    broken = [text for text in arguments if "=" not in text]
    if broken:
        raise InputError(
            [
                f"Failed to parse input {_single_quoted(text)}, expected format is 'name=value'"
                for text in broken
            ]
        )
    return [_parse_pair(text) for text in arguments]


def inputs_from_pairs(
    pairs: Sequence[Pair], schema: InputSchema, stdin: BinaryIO | None = None
) -> dict[str, Any]:
    """Return the input that `-i` options make: files read, texts coerced, all of it checked.

    Raises:
        InputError: with every problem that was found.
    """
    problems = name_problems([pair.name for pair in pairs], schema)
    given: dict[str, list[Pair]] = {}
    for pair in pairs:
        given.setdefault(pair.name, []).append(pair)
    if problems:
        # Files are not read for a call that fails anyway; the other values are still judged.
        given = {name: group for name, group in given.items() if _is_plain(name, group, schema)}
    files = _Files(stdin)
    values: dict[str, Any] = {}
    for name, group in given.items():
        try:
            values[name] = _read_group(group, schema.properties[name], schema, files)
        except NotJson as error:
            problems.append(f'invalid input "{name}": {error}')
    _raise_for(problems + value_problems(values, schema))
    return values


def inputs_from_json(
    argument: str, schema: InputSchema, stdin: BinaryIO | None = None
) -> dict[str, Any]:
    """Return the input that `--json` gives: an object, `@file`, or `-` or `@-` for stdin.

    A string that starts with `@` is a file where it stands at the top, and deeper where the
    schema says that a file is expected.

    Raises:
        InputError: with every problem that was found.
    """
    files = _Files(stdin)
    values = _parse_object(argument, files)
    problems = name_problems(values, schema)
    if problems:
        known = {name: value for name, value in values.items() if name in schema.properties}
        values = {name: value for name, value in known.items() if not _mentions_file(value)}
    for name, value in values.items():
        part = schema.properties[name]
        is_top_level_file = isinstance(value, str) and value.startswith("@")
        values[name] = (
            files.read(value) if is_top_level_file else _expand(value, part, schema, files)
        )
    _raise_for(problems + value_problems(values, schema))
    return values


class _Files:
    """Reads what `@name` stands for; stdin at most once."""

    def __init__(self, stdin: BinaryIO | None) -> None:
        self._stdin = stdin
        self._stdin_is_read = False

    def read(self, text: str) -> str:
        """Return the file that `@path` names as a data URL."""
        path = text[1:]
        content = self.read_bytes(path)
        return encode_data_url(media_type_of(path, content), content)

    def read_bytes(self, path: str) -> bytes:
        """Return what a file holds; `-` is stdin."""
        if path == "-":
            return self._read_stdin()
        if not path:
            raise InputError(["'@' needs the path of a file after it"])
        try:
            with Path(os.path.expanduser(path)).open("rb") as file:
                return _read_limited(file, path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError([f"cannot read the file {quote(path)}: {reason}"]) from error

    def _read_stdin(self) -> bytes:
        if self._stdin_is_read:
            raise InputError(["stdin can be read by one input only"])
        self._stdin_is_read = True
        stdin = self._stdin or getattr(sys.stdin, "buffer", None)
        if stdin is None:  # Python has no sys.stdin where the descriptor was closed.
            raise InputError(["stdin is closed"])
        return _read_limited(stdin, "stdin")


def _read_limited(file: BinaryIO, name: str) -> bytes:
    # One byte more than allowed tells; a size asked beforehand would miss pipes and devices.
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // (1024 * 1024)
        raise InputError([f"{name} is larger than {limit} MiB; give a URL instead of the file"])
    return content


def _parse_pair(text: str) -> Pair:
    name, _, value = text.partition("=")
    if len(value) >= 2 and value[0] == value[-1] == '"' and '"' not in value[1:-1]:
        value = value[1:-1]
    return Pair(name, value)


def _read_group(group: list[Pair], schema: Schema, context: InputSchema, files: _Files) -> Any:
    if len(group) == 1:
        return _read_one(group[0], schema, context, files)
    items = context.items(schema)
    return [_read_one(pair, items, context, files) for pair in group]


def _read_one(pair: Pair, schema: Schema, context: InputSchema, files: _Files) -> Any:
    if not pair.is_file:
        return _expand(coerce_text(pair.text, schema, context), schema, context, files)
    url = files.read(pair.text)
    kinds = context.kinds(schema)
    return [url] if "array" in kinds and "string" not in kinds else url


def _expand(value: Any, schema: Schema, context: InputSchema, files: _Files) -> Any:
    """Read the `@file` strings inside arrays of files."""
    if isinstance(value, str):
        is_file = value.startswith("@") and context.is_file(schema)
        return files.read(value) if is_file else value
    if is_array(value):
        items = context.items(schema)
        return [_expand(item, items, context, files) for item in value]
    return value


def _parse_object(argument: str, files: _Files) -> dict[str, Any]:
    text = argument
    if argument in STDIN_NAMES:
        text = _decode(files.read_bytes("-"), "stdin")
    elif argument.startswith("@"):
        text = _decode(files.read_bytes(argument[1:]), argument[1:])
    try:
        value = parse_json(text)
    except NotJson as error:
        raise InputError([f"the value of --json {error}"]) from error
    if not is_object(value):
        raise InputError(['the value of --json must be an object, such as {"name": "value"}'])
    return value


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError([f"{name} is not JSON: it is not UTF-8 text"]) from error


def _is_plain(name: str, group: list[Pair], schema: InputSchema) -> bool:
    return name in schema.properties and not any(pair.is_file for pair in group)


def _mentions_file(value: Any) -> bool:
    if is_array(value):
        return any(map(_mentions_file, value))
    return isinstance(value, str) and value.startswith("@")


def _single_quoted(text: str) -> str:
    return f"'{text[:80]}'"


def _raise_for(problems: Sequence[str]) -> None:
    if problems:
        raise InputError(problems)
