"""The account of every prediction: what was asked, how it ended, and what was wrong with that."""

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Any

TERMINAL = ("succeeded", "failed", "canceled")
MAX_PROBLEMS = 200
"""How many problems are kept word by word; all are counted."""

KILLED = "worker was killed by signal 9"
"""How the error of a prediction begins whose worker was killed under it."""


@dataclass(frozen=True)
class Order:
    """What was asked of the model."""

    id: str
    steps: int
    pause: float
    fail: bool

    @property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        inputs = {"tag": self.id, "steps": self.steps, "pause": self.pause, "fail": self.fail}
        return {"id": self.id, "input": inputs}


class Ledger:
    """Knows all predictions of one server."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.problem_count = 0
        self.refusals: Counter[int] = Counter()
        self.asked: Counter[str] = Counter()
        self.ends: dict[str, str] = {}
        self.bodies: dict[str, bytes] = {}
        self.uncertain: dict[str, Order] = {}

    def report(self, problem: str) -> None:
        """Note that something went wrong."""
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def close(self, order: Order, prediction: dict[str, Any], *, may_cancel: bool) -> None:
        """Note the end of a prediction and check it; again, it must be the same end."""
        self.uncertain.pop(order.id, None)
        status = prediction.get("status", "")
        if status not in TERMINAL:
            self.report(f"{order.id}: expected an end, got {status!r}")
            return
        known = self.ends.setdefault(order.id, status)
        if known != status:
            self.report(f"{order.id}: was {known}, is {status}")
        for problem in find_problems(order, prediction, may_cancel=may_cancel):
            self.report(f"{order.id}: {problem}")


def find_problems(order: Order, prediction: dict[str, Any], *, may_cancel: bool) -> list[str]:
    """Return what is wrong with the end of a prediction."""
    problems: list[str] = []
    status, error = prediction["status"], prediction["error"]
    expected = [f"{order.id}-{number}" for number in range(order.steps)]
    items: list[str] = prediction["output"] or []
    output = [read_item(item) for item in items]
    if prediction["id"] != order.id:
        problems.append(f"answers for {prediction['id']}")
    if prediction["completed_at"] is None:
        problems.append("has ended without a time")
    if output != expected[: len(output)]:
        problems.append(f"output {output} instead of {expected}")
    if status == "succeeded":
        if order.fail:
            problems.append("succeeded, and was asked to fail")
        if len(output) != order.steps:
            problems.append(f"succeeded with {len(output)} of {order.steps} items")
        if prediction["logs"].count(f"{order.id} says ") != order.steps:
            problems.append(f"logs are not complete: {prediction['logs']!r}")
    elif status == "failed":
        is_asked = order.fail and error == f"{order.id} was asked to fail"
        if not is_asked and not str(error).startswith(KILLED):
            problems.append(f"failed: {error}")
    elif not may_cancel:
        problems.append("canceled, and nobody asked for that")
    return problems


def read_item(item: str) -> str:
    """Return the text of an item, which may be a file."""
    if item.startswith("data:"):
        return base64.b64decode(item.partition(",")[2]).decode()
    return item
