"""Data URLs inside of a JSON text: cut out, so that nothing has to carry them as text. Pure.

A text of megabytes costs much more to parse, to check, to write again and to decode in pure Python
than all the rest of a prediction. Between two quotes base64 looks the same in JSON as anywhere, so
it is found without parsing; a short token takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pybase64

from cog._schema.kinds import is_list

LEAST_BYTES = 64 * 1024
"""Shorter ones stay where they are: to handle a file costs more."""

CHUNK_BYTES = 1024 * 1024
"""Decoded at once; a multiple of 4."""

_BEGINNING = b'"data:'
_HEAD = re.compile(rb'"data:([\x20\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{0,200});base64,')
"""The type may have anything that is printable but a quote, a comma and a backslash."""


@dataclass(frozen=True)
class Found:
    """One data URL: ``quoted`` is all of it, ``content`` its base64, both parts of the text."""

    token: str
    media_type: str
    quoted: memoryview
    content: memoryview


def cut_out(text: bytes, new_token: Callable[[], str]) -> tuple[bytes, dict[str, Found]]:
    """Return the text with tokens in the place of long data URLs, and these by token."""
    view = memoryview(text)
    found: dict[str, Found] = {}
    parts: list[bytes | memoryview] = []
    kept_until = 0
    for begin, head_end, end in _spans(text):
        token = new_token()
        media_type = text[begin + len(_BEGINNING) : head_end - len(b";base64,")].decode("ascii")
        found[token] = Found(token, media_type, view[begin:end], view[head_end : end - 1])
        parts += (view[kept_until:begin], b'"%b"' % token.encode())
        kept_until = end
    parts.append(view[kept_until:])
    return b"".join(parts), found


def decode(content: memoryview) -> Iterator[bytes]:
    """Yield what base64 stands for, piece by piece.

    Raises:
        ValueError: it is none.
    """
    for begin in range(0, len(content), CHUNK_BYTES):
        yield pybase64.b64decode(content[begin : begin + CHUNK_BYTES], validate=True)


def tokens_of(value: Any) -> list[str]:
    """Return the texts that an input consists of: itself, or the items of a list."""
    return [item for item in (value if is_list(value) else [value]) if isinstance(item, str)]


def _spans(text: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield where long data URLs begin with their quote, where their content does, and where they end."""
    begin = text.find(_BEGINNING)
    while begin >= 0:
        end = text.find(b'"', begin + len(_BEGINNING)) + 1
        if not end:
            return
        head = _HEAD.match(text, begin)
        is_escaped = text[begin - 1 : begin] == b"\\"  # A quote inside of a text.
        if end - begin >= LEAST_BYTES and head is not None and not is_escaped:
            yield begin, head.end(), end
        begin = text.find(_BEGINNING, end)
