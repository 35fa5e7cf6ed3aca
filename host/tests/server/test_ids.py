"""Ids: new ones, in order of time."""

from __future__ import annotations

import uuid

from cogworks.server.ids import LENGTH, encode, new_id, uuid7


def test_ids_are_26_characters_without_the_ambiguous_letters() -> None:
    made = new_id()
    assert len(made) == LENGTH == 26
    assert set(made) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_ids_differ_and_sort_by_time() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    ids = [encode(uuid7(millisecond, b"\xff" * 10)) for millisecond in range(1000, 3000, 7)]
    assert ids == sorted(ids)


def test_the_layout_is_version_7_of_the_rfc() -> None:
    made = uuid.UUID(int=uuid7(0x0123_4567_89AB, b"\xff" * 10))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.hex.startswith("0123456789ab")


def test_the_extremes_are_encoded_whole() -> None:
    assert encode(0) == "0" * 26
    assert encode((1 << 128) - 1) == "7" + "z" * 25
