"""Tests of the comparison with large files."""

import base64
import json
from collections.abc import Callable

import pytest

from bench.contest.contest import Contest, Entrant
from bench.contest.run import WrongAnswer
from bench.payload.__main__ import CONTEST
from bench.payload.measure import check, measure, pick


def answer(content: bytes, status: str = "succeeded") -> bytes:
    url = "data:;base64," + base64.b64encode(content).decode()
    return json.dumps({"status": status, "output": url, "error": "why"}).encode()


def test_another_file_or_a_failure_is_no_result() -> None:
    check(answer(b"x"), b"x")
    with pytest.raises(WrongAnswer, match="another file"):
        check(answer(b"y"), b"x")
    with pytest.raises(WrongAnswer, match="failed: why"):
        check(answer(b"x", "failed"), b"x")


def test_percentiles_are_values_that_were_measured() -> None:
    times = [float(number) for number in range(1, 11)]
    assert (pick(times, 50), pick(times, 99), pick([7.0], 50)) == (6.0, 10.0, 7.0)


@pytest.mark.slow
def test_our_server_returns_the_file(enter: Callable[[Contest], Entrant]) -> None:
    numbers = measure(enter(CONTEST), 0.0)
    assert {column.key for column in CONTEST.columns} <= set(numbers)
    assert numbers["files_per_s"] > 0
    assert numbers["pss_mib"] > 10
