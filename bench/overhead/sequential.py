"""A client that sends one request after another on one connection, and counts refusals."""

import http.client
import json
import time
from dataclasses import dataclass

from bench.overhead.load import percentile
from bench.overhead.peers import Question

TIMEOUT_S = 30


@dataclass(frozen=True)
class Sequence:
    """What the client saw; the median is that of right answers.

    ``wrong`` counts 2xx responses with something else than the answer.
    """

    requests: int
    non_2xx: int
    wrong: int
    p50_us: float


def ask_in_turn(port: int, question: Question, count: int) -> Sequence:
    """Send ``count`` requests, each as soon as the one before it is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    headers = {"Content-Type": "application/json"}
    latencies: dict[int, int] = {}
    refused = wrong = 0
    try:
        for number in range(count):
            body = (question.body % number).encode()
            started = time.perf_counter()
            connection.request("POST", question.path, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
            latency_us = int((time.perf_counter() - started) * 1e6)
            if not 200 <= response.status <= 299:
                refused += 1
            elif _find_output(text) != f"hello {number}":
                wrong += 1
            else:
                latencies[latency_us] = latencies.get(latency_us, 0) + 1
    finally:
        connection.close()
    return Sequence(count, refused, wrong, percentile(latencies, 50))


def _find_output(text: str) -> str:
    """Return the output; a server that answers with the bare text has no JSON around it."""
    try:
        return str(json.loads(text)["output"])
    except ValueError:
        return text
