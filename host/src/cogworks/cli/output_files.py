"""Where results go on disk, and the files among them.

output                 -o           written to
one file               (none)       output.png            the extension is the file's type's
one file               out.jpg      out.jpg               the extension given wins
list of files          out.png      out.0.png, out.1.png
object with files      out.json     out.json, out.image.png, out.pages.0.png
anything               a folder     FOLDER/output...
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cogworks.cli.console import Console
from cogworks.cli.data_url import decode_data_url, is_data_url
from cogworks.cli.errors import OptionError, OutputError, quote
from cogworks.cli.input_schema import Schema
from cogworks.cli.json_values import is_array, is_object
from cogworks.server.media import extension_for

DEFAULT_NAME = "output"
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
"""Keys of the model's objects become parts of file names; nothing in them may leave the folder."""


@dataclass(frozen=True)
class Target:
    """What `-o` said: ``path`` is None where it was not given."""

    path: Path | None = None

    @property
    def stem(self) -> Path:
        """Return the path that names of files begin with."""
        path = self.path or Path(DEFAULT_NAME)
        return path.with_suffix("")


def resolve_target(option: str | None) -> Target:
    """Return where results go, knowing that it can be written.

    Raises:
        OptionError: the folder does not exist, or the file or folder is not writable.
    """
    if option is None:
        return Target()
    text = option.removeprefix("@")
    if not text:
        raise OptionError("-o needs the path of a file or folder")
    path = Path(os.path.expanduser(text))
    if path.is_dir():
        path = path / DEFAULT_NAME
    _require_writable(path)
    return Target(path)


def require_writable_folder() -> None:
    """Refuse to start where an output file could not be written in the current folder.

    Raises:
        OptionError: it is not writable.
    """
    _require_writable(Path(DEFAULT_NAME).absolute())


def is_files(schema: Schema) -> bool:
    """Return whether an output of this schema is a file or a list of files."""
    items = cast(Schema, schema.get("items", {})) if schema.get("type") == "array" else schema
    return items.get("format") == "uri"


class FileWriter:
    """Writes results and says where they went."""

    def __init__(self, target: Target, console: Console, *, keep_extension: bool) -> None:
        """``keep_extension``: files get the extension of `-o`, for outputs that are only files."""
        self.target = target
        self._console = console
        self._keep_extension = keep_extension

    def write_text(self, text: str) -> None:
        """Write a text result to the path of `-o`, with a line's end."""
        assert self.target.path is not None
        content = text if text.endswith("\n") else text + "\n"
        self._write(self.target.path, content.encode("utf-8", "backslashreplace"))

    def save_files(self, value: Any, schema: Schema, keys: tuple[str, ...] = ()) -> Any:
        """Write the files in a value; return it with their paths in their places.

        A string is a file where the schema says so, and in the parts of which the schema says
        nothing if it is a base64 data URL.
        """
        if isinstance(value, str):
            return self._save(value, keys) if _is_file(value, schema) else value
        if is_array(value):
            items = cast(Schema, schema.get("items", {}))
            return [
                self.save_files(item, items, (*keys, str(index)))
                for index, item in enumerate(value)
            ]
        if is_object(value):
            return {
                key: self.save_files(item, _part(schema, key), (*keys, key))
                for key, item in value.items()
            }
        return value

    def _save(self, url: str, keys: tuple[str, ...]) -> str:
        try:
            file = decode_data_url(url)
        except ValueError as error:
            raise OutputError(f"the model's output cannot be read as a file: {error}") from error
        path = self._name(keys, extension_for(file.media_type))
        self._write(path, file.content)
        return str(path)

    def _name(self, keys: tuple[str, ...], extension: str) -> Path:
        path = self.target.path
        if path is not None and not keys and path.exists() and not path.is_file():
            return path  # /dev/stdout, a pipe: its name is not ours to extend.
        if path is not None and self._keep_extension and path.suffix:
            extension = path.suffix
        stem = self.target.stem
        parts = [UNSAFE.sub("_", key) or "_" for key in keys]
        return stem.with_name(".".join([stem.name, *parts]) + extension)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            path.write_bytes(content)
        except OSError as error:
            raise OutputError(f"cannot write {quote(str(path))}: {error.strerror}") from error
        self._console.info(f"Written output to: {path}")


def _is_file(text: str, schema: Schema) -> bool:
    if not is_data_url(text):
        return False
    return schema.get("format") == "uri" or ("type" not in schema and ";base64," in text[:200])


def _part(schema: Schema, key: str) -> Schema:
    properties = cast(Mapping[str, Schema], schema.get("properties", {}))
    rest = schema.get("additionalProperties")
    return properties.get(key, cast(Schema, rest) if is_object(rest) else {})


def _require_writable(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise OptionError(f"cannot write {quote(str(path))}: there is no folder {folder}")
    blocked = path if path.exists() else folder
    if not os.access(blocked, os.W_OK):
        raise OptionError(f"cannot write {quote(str(path))}: {blocked} is not writable")
