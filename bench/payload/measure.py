"""Send a file and get it back, again and again; ask for something small meanwhile.

The client is a plain socket that sends and receives megabytes at once, so its time is the kernel's;
answers are looked at after the clock has stopped. A second client asks for the index page every few
milliseconds: it waits as long as the server's event loop is blocked.
"""

import base64
import http.client
import json
import os
import socket
import threading
import time
from dataclasses import dataclass

from bench.contest.contest import Entrant
from bench.contest.run import WrongAnswer
from bench.overhead.server import Server

SIZE_BYTES = 10 * 2**20
RECEIVE_BYTES = 4 * 2**20
LEAST_REQUESTS = 5
TIMEOUT_S = 60.0
PAUSE_S = 0.005
"""Between two requests of the small client."""


@dataclass(frozen=True)
class Exchange:
    """One file there and back."""

    seconds: float
    answer: bytes


def measure(entrant: Entrant, seconds: float) -> dict[str, float]:
    """Return the numbers of one round."""
    content = os.urandom(SIZE_BYTES)
    url = "data:application/octet-stream;base64," + base64.b64encode(content).decode()
    body = b'{"input":{"file":"%s"}}' % url.encode()
    with entrant.start() as server:
        check(send(server, body, 1, 0.0)[0].answer, content)  # Warm.
        small = SmallClient(server)
        cpu_s, started = time.thread_time(), time.perf_counter()
        with small:
            exchanges = send(server, body, LEAST_REQUESTS, seconds)
        wall_s = time.perf_counter() - started
        cpu_s = time.thread_time() - cpu_s
        pss, _ = server.measure_memory_bytes()
    check(exchanges[-1].answer, content)
    times = sorted(exchange.seconds for exchange in exchanges)
    return {
        "files_per_s": len(times) / sum(times),
        "p50_ms": pick(times, 50) * 1e3,
        "p99_ms": pick(times, 99) * 1e3,
        "other_p99_ms": pick(sorted(small.times), 99) * 1e3,
        "pss_mib": max(pss, small.most_pss_bytes) / 2**20,
        "client_cpu_share": cpu_s / wall_s,
    }


def send(server: Server, body: bytes, count: int, seconds: float) -> list[Exchange]:
    """Send the body at least ``count`` times, and for ``seconds``, on one connection."""
    head = (
        "POST /predictions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    exchanges: list[Exchange] = []
    until = time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as connection:
        while len(exchanges) < count or time.perf_counter() < until:
            started = time.perf_counter()
            connection.sendall(head)
            connection.sendall(body)
            answer = receive(connection)
            took_s = time.perf_counter() - started
            # Only the last one is kept and looked at whole: there are hundreds of megabytes.
            if exchanges:
                exchanges[-1] = Exchange(exchanges[-1].seconds, b"")
            exchanges.append(Exchange(took_s, answer))
            if not answer.startswith(b"{") or b'"succeeded"' not in answer[:300] + answer[-300:]:
                raise WrongAnswer(f"expected a prediction, got {answer[:80]!r}")
    return exchanges


def receive(connection: socket.socket) -> bytes:
    """Return the body of an answer that has a length."""
    buffer = bytearray()
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        buffer += connection.recv(RECEIVE_BYTES) or _closed()
    head = buffer[:end].decode("latin-1").lower()
    status = int(head.split(maxsplit=2)[1])
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if "content-length:" in line]
    if status != 200 or not lengths:
        raise WrongAnswer(f"expected 200 and a length, got {head[:80]!r}")
    size = int(lengths[0])
    body = bytearray(size)
    have = len(buffer) - end - 4
    body[:have] = buffer[end + 4 :]
    view = memoryview(body)
    while have < size:
        have += connection.recv_into(view[have:]) or len(_closed())
    return bytes(body)


def check(answer: bytes, content: bytes) -> None:
    """Compare what came back with what was sent."""
    prediction = json.loads(answer)
    output = str(prediction.get("output"))
    if prediction.get("status") != "succeeded":
        raise WrongAnswer(f"the prediction {prediction.get('status')}: {prediction.get('error')}")
    if base64.b64decode(output.partition(",")[2]) != content:
        raise WrongAnswer(f"another file came back: {output[:60]}")


def pick(times: list[float], percent: float) -> float:
    """Return the value that ``percent`` of the sorted ones do not exceed."""
    return times[min(len(times) - 1, int(len(times) * percent / 100))]


def _closed() -> bytes:
    raise WrongAnswer("the connection was closed in the middle of an answer")


class SmallClient:
    """Asks for the index page again and again, in a thread of its own; a context manager."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.times: list[float] = []
        self.most_pss_bytes = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=TIMEOUT_S)
        looked_at = 0.0
        try:
            while not self._is_over.wait(PAUSE_S):
                started = time.perf_counter()
                connection.request("GET", "/")
                connection.getresponse().read()
                self.times.append(time.perf_counter() - started)
                if time.perf_counter() > looked_at + 0.25:
                    looked_at = time.perf_counter()
                    self.most_pss_bytes = max(
                        self.most_pss_bytes, self._server.measure_memory_bytes()[0]
                    )
        finally:
            connection.close()
