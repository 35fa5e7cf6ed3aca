"""Prediction ids: UUIDv7 in Crockford's base32, 26 characters; they sort by time of creation."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's, in lower case: no i, l, o, u."""

LENGTH = 26

RANDOM_BYTES = 4000
"""Fetched from the system at once: enough for 250 ids."""

_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TIME_SHIFTS = range(40, -1, -10)
"""Where pairs of digits begin; five bits each."""

RANDOM_DIGITS = 16
_DIGITS = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
_VERSIONS = [_ALPHABET[0b01110 | bit] for bit in range(2)]
"""The version, 7 in four bits, and one random bit."""
_VARIANTS = [_ALPHABET[(bits & 0b100) << 2 | 0b01000 | bits & 0b11] for bits in range(8)]
"""One random bit, the variant, ``10``, and two random bits."""


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


class _Clock:
    """The beginning of the ids of one millisecond; many are made in the same one."""

    def __init__(self) -> None:
        self._unix_ms = 0
        self._text = ""

    def text(self) -> str:
        unix_ms = time.time_ns() // 1_000_000
        if unix_ms != self._unix_ms:
            self._unix_ms = unix_ms
            self._text = encode_time(unix_ms)
        return self._text


_randomness = _Randomness()
_clock = _Clock()


def new_id() -> str:
    """Return an id that nobody has had before; for one thread."""
    return _clock.text() + encode_random(_randomness.take(RANDOM_DIGITS))


def encode_time(unix_ms: int) -> str:
    """Write the first 48 bits of a version 7 UUID, after two bits that are zero. Source: RFC 9562, 5.7."""
    return "".join([_PAIRS[unix_ms >> shift & 1023] for shift in _TIME_SHIFTS])


def encode_random(random: bytes) -> str:
    """Write its other 80 bits, from one random byte for each of the 16 digits.

    Five bits of a byte make a digit; in the first and the fourth, the version and the variant take
    the place of some.
    """
    digits = random.translate(_DIGITS).decode("ascii")
    return f"{_VERSIONS[random[0] & 1]}{digits[1:3]}{_VARIANTS[random[3] & 7]}{digits[4:]}"
