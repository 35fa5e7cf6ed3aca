"""``data:`` URLs: a file inside a string (RFC 2397)."""

from __future__ import annotations

import binascii
import string
import sys
from typing import NamedTuple, Optional

from cog.errors import InvalidDataURLError

_DEFAULT_MEDIA_TYPE = "text/plain;charset=US-ASCII"  # RFC 2397, section 2
_ALPHABET = (string.ascii_letters + string.digits + "+/").encode("ascii")


class DataURL(NamedTuple):
    """A decoded ``data:`` URL; ``media_type`` with its parameters."""

    media_type: str
    content: bytes


def is_data_url(text: str) -> bool:
    """Whether a string is a ``data:`` URL, by its scheme."""
    return text[:5].lower() == "data:"


def decode_data_url(url: str) -> DataURL:
    """Decode a ``data:`` URL, base64 or percent-encoded.

    Base64 may lack its padding, use the URL alphabet or be percent-encoded: senders do that.

    Raises:
        InvalidDataURLError: it has no comma or its base64 is broken.
    """
    comma = url.find(",")
    if comma < 0:
        raise InvalidDataURLError(url, "there is no comma between media type and data")
    media_type = url[len("data:") : comma].strip()
    if media_type[-7:].lower() != ";base64" and media_type.lower() != "base64":
        from urllib.parse import unquote_to_bytes

        return DataURL(media_type or _DEFAULT_MEDIA_TYPE, unquote_to_bytes(url[comma + 1 :]))
    content = _decode_exact_base64(url, comma + 1)
    if content is None:
        content = _decode_base64(url, url[comma + 1 :])
    return DataURL(media_type[:-7] or _DEFAULT_MEDIA_TYPE, content)


def _decode_exact_base64(url: str, start: int) -> Optional[bytes]:
    """Decode what follows the rules to the letter, in one pass; None for all else."""
    if sys.version_info < (3, 11):  # The strict mode came with it.
        return None
    try:
        encoded = memoryview(url.encode("ascii"))[start:]
        return binascii.a2b_base64(encoded, strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        return None


def _decode_base64(url: str, body: str) -> bytes:
    if "%" in body:
        from urllib.parse import unquote

        body = unquote(body)
    try:
        encoded = body.encode("ascii")
    except UnicodeEncodeError as error:
        raise InvalidDataURLError(url, "its base64 holds characters that are not ASCII") from error
    if b"-" in encoded or b"_" in encoded:
        encoded = encoded.translate(bytes.maketrans(b"-_", b"+/"))
    # Python skips foreign characters in base64; a cut or garbled file must not pass for a good one.
    # A pattern would take 20 times as long to find them, which shows in files of megabytes.
    foreign = encoded.translate(None, _ALPHABET)
    if foreign.strip(b"="):
        encoded = b"".join(encoded.split())
        foreign = b"".join(foreign.split())
    digits = encoded.rstrip(b"=")
    if foreign.strip(b"=") or b"=" in digits:
        raise InvalidDataURLError(url, "its base64 holds characters that do not belong there")
    try:
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    except binascii.Error as error:
        raise InvalidDataURLError(url, f"its base64 is broken ({error})") from error
