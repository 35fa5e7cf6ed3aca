"""Ids: new ones, in order of time."""

from __future__ import annotations

import time
import uuid

from cogworks.server.ids import LENGTH, encode_random, encode_time, new_id

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def decode(made: str) -> uuid.UUID:
    value = 0
    for digit in made:
        value = value << 5 | DIGITS.index(digit)
    return uuid.UUID(int=value)


def test_ids_are_26_characters_without_the_ambiguous_letters() -> None:
    made = new_id()
    assert len(made) == LENGTH == 26
    assert set(made) <= set(DIGITS)


def test_ids_differ_and_sort_by_time() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    ids = [
        encode_time(millisecond) + encode_random(b"\xff" * 16) for millisecond in range(1000, 3000)
    ]
    assert ids == sorted(ids)


def test_the_layout_is_version_7_of_the_rfc() -> None:
    made = decode(encode_time(0x0123_4567_89AB) + encode_random(b"\xff" * 16))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.hex.startswith("0123456789ab")


def test_an_id_tells_when_it_was_made() -> None:
    before_ms = time.time_ns() // 1_000_000
    made_ms = decode(new_id()).int >> 80
    assert before_ms <= made_ms <= time.time_ns() // 1_000_000


def test_every_random_bit_but_six_is_kept() -> None:
    assert decode(encode_time(0) + encode_random(bytes(16))).hex[12:] == "7000" + "8" + "0" * 15
    assert decode(encode_time(0) + encode_random(b"\xff" * 16)).hex[12:] == "7fff" + "b" + "f" * 15
