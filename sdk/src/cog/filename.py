"""The names that downloaded files get: a URL's own name, made safe for any file system."""

from __future__ import annotations

import os

MAX_NAME_BYTES = 200
"""Leaves room for a random prefix in the 255 bytes that file systems allow."""

FALLBACK_NAME = "file"
_MAX_EXTENSION_BYTES = 32
_CUT = "~"


def name_from_url(url: str) -> str:
    """Return the file name in a http(s) URL: the last part of its path, decoded and safe."""
    from urllib.parse import unquote, urlsplit

    last = urlsplit(url).path.rpartition("/")[2]
    return safe_name(unquote(last))


def safe_name(name: str) -> str:
    """Return a name without ``/`` and NUL, of at most ``MAX_NAME_BYTES``, that names a file.

    What is cut gets a ``~`` where it was cut, before the extension, which is kept.
    """
    name = name.replace("/", "_").replace("\0", "_")
    if name in ("", ".", ".."):
        return FALLBACK_NAME
    if len(name.encode("utf-8", "surrogateescape")) <= MAX_NAME_BYTES:
        return name
    stem, extension = os.path.splitext(name)
    if len(extension.encode("utf-8", "surrogateescape")) > _MAX_EXTENSION_BYTES:
        stem, extension = name, ""
    tail = _CUT + extension
    room = MAX_NAME_BYTES - len(tail.encode("utf-8", "surrogateescape"))
    cut = stem.encode("utf-8", "surrogateescape")[:room].decode("utf-8", "ignore")
    return cut + tail
