"""Tests of the comparison under overload."""

import shutil
from collections.abc import Callable

import pytest

from bench.contest.contest import Contest, Entrant
from bench.overload.__main__ import CONTEST
from bench.overload.measure import measure


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_our_server_refuses_what_is_too_much(enter: Callable[[Contest], Entrant]) -> None:
    numbers = measure(enter(CONTEST), 1.0)
    assert {column.key for column in CONTEST.columns} <= set(numbers)
    for way in ("refuse", "queue"):
        assert numbers[f"{way}_offered"] > numbers[f"{way}_done_share"] > 0
        assert numbers[f"{way}_socket_errors"] == 0
