"""Tests of the comparison of streams."""

from collections.abc import Callable

import pytest

from bench.contest.contest import Contest, Entrant
from bench.contest.run import WrongAnswer
from bench.streams.__main__ import CONTEST
from bench.streams.measure import count_tokens, join_chunks, measure


def stream(*numbers: int) -> bytes:
    events = "".join(
        f'id: {at}\nevent: output\ndata: {{"chunk":"token {number} ","index":{at}}}\n\n'
        for at, number in enumerate(numbers)
    ).encode()
    return b"HTTP/1.1 200 OK\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(events), events)


def test_chunks_are_joined() -> None:
    assert join_chunks(b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n") == b"abcd"


def test_tokens_count_only_in_order() -> None:
    assert count_tokens(stream(0, 1, 2)) == 3
    with pytest.raises(WrongAnswer, match="not in order"):
        count_tokens(stream(0, 2, 1))


@pytest.mark.slow
def test_our_server_loses_no_token(enter: Callable[[Contest], Entrant]) -> None:
    numbers = measure(enter(CONTEST), 0.0)
    assert {column.key for column in CONTEST.columns} <= set(numbers)
    assert numbers["whole_share"] == 1.0
    assert numbers["predictions"] == 1
