"""Frames: whatever the pieces that bytes arrive in, the same lines come out."""

from __future__ import annotations

import random

import pytest

from cog._bridge.frames import FrameDecoder, FrameError


def test_a_whole_line_comes_out_at_once() -> None:
    assert FrameDecoder().feed(b'{"a":1}\n') == [b'{"a":1}']


def test_a_line_in_pieces_comes_out_when_its_newline_arrives() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"ab") == []
    assert not decoder.is_between_frames()
    assert decoder.feed(b"c\nd") == [b"abc"]
    assert decoder.feed(b"\n\n") == [b"d", b""]
    assert decoder.is_between_frames()


@pytest.mark.parametrize("seed", range(20))
def test_pieces_of_any_size_give_the_same_lines(seed: int) -> None:
    chance = random.Random(seed)
    lines = [b"x" * chance.randrange(50) for _ in range(chance.randrange(1, 30))]
    stream = b"".join(line + b"\n" for line in lines)
    decoder = FrameDecoder()
    received: list[bytes] = []
    while stream:
        size = chance.randrange(1, 40)
        received += decoder.feed(stream[:size])
        stream = stream[size:]
    assert received == lines


def test_a_line_as_long_as_the_limit_passes() -> None:
    assert FrameDecoder(4).feed(b"abcd\n") == [b"abcd"]


def test_a_line_over_the_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(FrameError, match=r"more than 5 bytes; the limit is 4 bytes"):
        FrameDecoder(4).feed(b"abcde\n")


def test_a_line_that_never_ends_is_refused_before_it_is_whole() -> None:
    decoder = FrameDecoder(4)
    decoder.feed(b"abc")
    with pytest.raises(FrameError):
        decoder.feed(b"de")
