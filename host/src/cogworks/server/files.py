"""Output files: read once, written into the output as data URLs, removed if they were temporary."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import Any

from cog._schema.kinds import is_dict, is_list

DEFAULT_MEDIA_TYPE = "application/octet-stream"

CHUNK_BYTES = 3 * 256 * 1024
"""Encoded at once, a multiple of 3: the event loop can have its turn between two of them, as the
encoder does not let go of the interpreter meanwhile."""

mimetypes.add_type("image/webp", ".webp")


def inline_files(value: Any, files: dict[str, dict[str, Any]]) -> Any:
    """Return ``value`` with a data URL in the place of each token of ``files``; blocks while reading.

    Raises:
        OSError: a file cannot be read; the others are removed all the same.
    """
    try:
        urls = {token: data_url(Path(file["path"]), file["name"]) for token, file in files.items()}
    finally:
        for file in files.values():
            if file["remove"]:
                Path(file["path"]).unlink(missing_ok=True)
    return _replace(value, urls)


def data_url(path: Path, name: str) -> str:
    """Return the content of a file as a base64 data URL; its media type is told by ``name``."""
    media_type = mimetypes.guess_type(name)[0] or DEFAULT_MEDIA_TYPE
    parts = [f"data:{media_type};base64,"]
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            parts.append(base64.b64encode(chunk).decode("ascii"))
    return "".join(parts)


def _replace(value: Any, urls: dict[str, str]) -> Any:
    if isinstance(value, str):
        return urls.get(value, value)
    if is_list(value):
        return [_replace(item, urls) for item in value]
    if is_dict(value):
        return {key: _replace(item, urls) for key, item in value.items()}
    return value
