"""Tests of the load generator's numbers."""

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.overhead.load import percentile, predict, summarize
from bench.overhead.peers import COG_QUESTION
from bench.overhead.sequential import ask_in_turn
from bench.overhead.server import find_free_port

REPORT = {
    "duration_us": 2_000_000,
    "statuses": {"200": 60, "409": 40},
    "succeeded": 50,
    "wrong": 10,
    "socket_errors": 0,
}

EVERY_THIRD_REFUSED = """\
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self):
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]["text"]
        Handler.asked += 1
        refused = Handler.asked % 3 == 0
        # Every fifth answer is another request's: it must not count.
        name = "0" if Handler.asked % 5 == 0 else text
        body = json.dumps({"output": f"hello {name}", "status": "succeeded"}).encode()
        self.send_response(409 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
"""


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """The port of a server that refuses every third request and answers every fifth wrongly."""
    port = find_free_port()
    with subprocess.Popen(
        [sys.executable, "-c", EVERY_THIRD_REFUSED, str(port)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield port
        process.terminate()


def test_only_right_answers_count_as_successes_per_second() -> None:
    assert summarize(REPORT, 1, 2).successes_per_s == 25


def test_refusals_are_a_share_of_all_responses() -> None:
    assert summarize(REPORT, 1, 2).non_2xx_share == 0.4


def test_no_response_at_all_is_no_share() -> None:
    assert summarize({**REPORT, "statuses": {}}, 1, 2).non_2xx_share == 0


def test_median_is_the_value_that_half_do_not_exceed() -> None:
    assert percentile({10: 3, 20: 1, 30: 2}, 50) == 10


def test_last_percentile_is_the_slowest() -> None:
    assert percentile({10: 98, 500: 2}, 99) == 500


def test_percentile_of_nothing_is_nan() -> None:
    assert math.isnan(percentile({}, 50))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk")
def test_wrk_tells_refusals_and_wrong_answers_from_successes(refusing_port: int) -> None:
    result = predict(f"http://127.0.0.1:{refusing_port}", COG_QUESTION, connections=1, seconds=1)

    assert abs(result.non_2xx_share - 1 / 3) < 0.05
    assert result.wrong > 0
    assert result.successes_per_s > 0
    assert 0 < result.p50_us <= result.p99_us < 1e6


@pytest.mark.slow
def test_client_in_turn_counts_refusals_and_wrong_answers(refusing_port: int) -> None:
    seen = ask_in_turn(refusing_port, COG_QUESTION, 15)

    # Refused are 3, 6, 9, 12 and 15; of the others 5 and 10 have a wrong answer.
    assert (seen.requests, seen.non_2xx, seen.wrong) == (15, 5, 2)
