"""Prediction ids: UUIDv7 in Crockford's base32, 26 characters; they sort by time of creation."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's, in lower case: no i, l, o, u."""

LENGTH = 26


def new_id() -> str:
    """Return an id that nobody has had before."""
    return encode(uuid7(time.time_ns() // 1_000_000, os.urandom(10)))


def uuid7(unix_ms: int, random: bytes) -> int:
    """Lay out a version 7 UUID; ``random`` is 10 bytes. Source: RFC 9562, section 5.7."""
    value = (unix_ms & (1 << 48) - 1) << 80 | int.from_bytes(random)
    value = value & ~(0xF << 76) | 7 << 76
    return value & ~(0b11 << 62) | 0b10 << 62


def encode(value: int) -> str:
    """Write a 128-bit number in base32, most significant digit first."""
    digits = [""] * LENGTH
    for position in range(LENGTH - 1, -1, -1):
        digits[position] = _ALPHABET[value & 31]
        value >>= 5
    return "".join(digits)
