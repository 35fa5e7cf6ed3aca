"""Tests of the account of predictions."""

from typing import Any

import pytest

from bench.soak.ledger import Ledger, Order, find_problems

ORDER = Order("p1", steps=2, pause=0.0, fail=False)


def make_end(**changes: Any) -> dict[str, Any]:
    return {
        "id": "p1",
        "status": "succeeded",
        "output": ["p1-0", "data:text/plain;base64,cDEtMQ=="],
        "logs": "p1 says 0\np1 says 1\n",
        "error": None,
        "completed_at": "2026-01-01T00:00:00.000000+00:00",
        **changes,
    }


def test_a_whole_result_has_no_problem() -> None:
    assert find_problems(ORDER, make_end(), may_cancel=False) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "p2"}, "answers for p2"),
        ({"completed_at": None}, "has ended without a time"),
        ({"output": ["p2-0", "p1-1"]}, "output ['p2-0', 'p1-1'] instead of ['p1-0', 'p1-1']"),
        ({"output": ["p1-0"]}, "succeeded with 1 of 2 items"),
        ({"logs": "p1 says 0\n"}, "logs are not complete: 'p1 says 0\\n'"),
        ({"status": "failed", "error": "no space"}, "failed: no space"),
        ({"status": "canceled"}, "canceled, and nobody asked for that"),
    ],
)
def test_what_is_wrong_with_an_end_is_said(changes: dict[str, Any], problem: str) -> None:
    assert find_problems(ORDER, make_end(**changes), may_cancel=False) == [problem]


def test_a_prediction_may_fail_with_its_worker() -> None:
    end = make_end(status="failed", error="worker was killed by signal 9 after 3 s", output=None)
    assert find_problems(ORDER, end, may_cancel=False) == []


def test_a_second_end_of_another_kind_is_a_problem() -> None:
    ledger = Ledger()
    ledger.close(ORDER, make_end(), may_cancel=True)
    ledger.close(ORDER, make_end(status="canceled"), may_cancel=True)
    assert ledger.problems == ["p1: was succeeded, is canceled"]


def test_what_runs_has_not_ended() -> None:
    ledger = Ledger()
    ledger.close(ORDER, make_end(status="processing"), may_cancel=False)
    assert ledger.problems == ["p1: expected an end, got 'processing'"]
    assert ledger.ends == {}
