"""Output files: read once, written into the output as data URLs, removed if they were temporary."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pybase64

from cog._schema.kinds import is_dict, is_list
from cogworks.server.media import media_type_of_file

CHUNK_BYTES = 3 * 256 * 1024
"""Encoded at once, a multiple of 3: the event loop can have its turn between two of them."""


def inline_files(value: Any, files: dict[str, dict[str, Any]]) -> Any:
    """Return ``value`` with a data URL in the place of each token of ``files``; blocks while reading.

    Raises:
        OSError: a file cannot be read; the others are removed all the same.
    """
    try:
        urls = {token: data_url(Path(file["path"]), file["name"]) for token, file in files.items()}
    finally:
        remove_files(files)
    return replace_tokens(value, urls)


def remove_files(files: dict[str, dict[str, Any]]) -> None:
    """Remove what was set aside for the server; what is gone already is no error."""
    for file in files.values():
        if file["remove"]:
            with contextlib.suppress(OSError):
                Path(file["path"]).unlink()


def data_url(path: Path, name: str) -> str:
    """Return the content of a file as a base64 data URL; its type is told by ``name``, or itself."""
    media_type = media_type_of_file(path, name)
    parts = [f"data:{media_type};base64,"]
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            parts.append(pybase64.b64encode_as_string(chunk))
    return "".join(parts)


def replace_tokens(value: Any, urls: dict[str, str]) -> Any:
    """Return ``value`` with URLs in the place of tokens, however deep they are."""
    if isinstance(value, str):
        return urls.get(value, value)
    if is_list(value):
        return [replace_tokens(item, urls) for item in value]
    if is_dict(value):
        return {key: replace_tokens(item, urls) for key, item in value.items()}
    return value
