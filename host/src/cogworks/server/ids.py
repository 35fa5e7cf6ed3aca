"""Prediction ids: UUIDv7 in Crockford's base32, 26 characters; they sort by time of creation."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's, in lower case: no i, l, o, u."""

LENGTH = 26

RANDOM_BYTES = 4000
"""Fetched from the system at once: enough for 400 ids."""

_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(LENGTH * 5 - 10, -1, -10)


class _Randomness:
    """Unpredictable bytes, fetched from the system many at a time: each call costs microseconds."""

    def __init__(self) -> None:
        self._bytes = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        if self._used + count > len(self._bytes):
            self._bytes = os.urandom(RANDOM_BYTES)
            self._used = 0
        self._used += count
        return self._bytes[self._used - count : self._used]


_randomness = _Randomness()


def new_id() -> str:
    """Return an id that nobody has had before; for one thread."""
    return encode(uuid7(time.time_ns() // 1_000_000, _randomness.take(10)))


def uuid7(unix_ms: int, random: bytes) -> int:
    """Lay out a version 7 UUID; ``random`` is 10 bytes. Source: RFC 9562, section 5.7."""
    value = (unix_ms & (1 << 48) - 1) << 80 | int.from_bytes(random)
    value = value & ~(0xF << 76) | 7 << 76
    return value & ~(0b11 << 62) | 0b10 << 62


def encode(value: int) -> str:
    """Write a 128-bit number in base32, most significant digit first."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])
