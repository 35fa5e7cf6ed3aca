"""`data:` URLs, the form that files have inside JSON: `data:image/png;base64,iVBORw0...`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

SCHEME = "data:"


@dataclass(frozen=True)
class DataUrl:
    """A file as a URL carries it."""

    media_type: str
    content: bytes


def is_data_url(text: str) -> bool:
    """Return whether the text is meant as a data URL."""
    return text[: len(SCHEME)].lower() == SCHEME


def encode_data_url(media_type: str, content: bytes) -> str:
    """Return the content as a base64 data URL."""
    return f"{SCHEME}{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def decode_data_url(text: str) -> DataUrl:
    """Return what a data URL holds.

    Raises:
        ValueError: it has no comma, or its base64 is broken.
    Source: RFC 2397.
    """
    head, comma, body = text[len(SCHEME) :].partition(",")
    if not comma:
        raise ValueError("a data URL needs a comma before its content")
    parameters = head.split(";")
    media_type = parameters[0] or "text/plain"
    if parameters[-1].strip().lower() != "base64":
        return DataUrl(media_type, unquote_to_bytes(body))
    try:
        return DataUrl(media_type, base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise ValueError(f"the base64 of a data URL is broken: {error}") from error
