"""Bad input on a real socket: refused or cut off in time, and the next prediction is a good one."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow

BOUND_S = 5.0
MAX_BODY = 200_000

MODEL = """
from cog import BaseRunner, Input
class Runner(BaseRunner):
    def run(self, text: str = "x", n: int = 0, f: float = 0.0, free: dict = Input(default_factory=dict)) -> str:
        return "fine"
"""

GET = b"GET /livez HTTP/1.1\r\nhost: x\r\n"
POST = b"POST /predictions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


class Peer:
    """Speaks with a server byte by byte."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.port = urlsplit(str(server.url)).port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), BOUND_S)

    def say(self, data: bytes) -> bytes:
        """Send, and return all that comes back until the server closes."""
        answer = b""
        with self.connect() as connection:
            try:
                connection.sendall(data)
                while chunk := connection.recv(65536):
                    answer += chunk
            except ConnectionError:
                pass  # Closed with bytes of ours unread.
        return answer

    def ask(self, method: str, target: bytes, body: bytes = b"", *headers: bytes) -> bytes:
        lines = [
            method.encode() + b" " + target + b" HTTP/1.1",
            b"host: x",
            b"connection: close",
            b"content-type: application/json",
            b"content-length: %d" % len(body),
            *headers,
        ]
        return self.say(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def predict(self, body: bytes) -> bytes:
        return self.ask("POST", b"/predictions", body)


@pytest.fixture
def peer(launch_server: Any, tmp_path: Path) -> Iterator[Peer]:
    """Have a server that must be as good as before when the test is over."""
    (tmp_path / "run.py").write_text(MODEL)
    peer = Peer(launch_server(str(tmp_path), COG_MAX_BODY=str(MAX_BODY)))
    before = open_files(peer)
    yield peer
    assert status(peer.predict(b'{"input": {"text": "y"}}')) == 200
    assert peer.server.process.poll() is None
    assert "Traceback" not in peer.server.log()
    deadline = time.monotonic() + BOUND_S
    while open_files(peer) > before:
        assert time.monotonic() < deadline, "descriptors are left"


def open_files(peer: Peer) -> int:
    """Count the server's descriptors."""
    folder = Path("/proc", str(peer.server.process.pid), "fd")
    if sys.platform != "linux":
        return 0
    peer.server.health()
    return len(os.listdir(folder))


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def status(answer: bytes) -> int:
    return statuses(answer)[0]


def check_refused(answer: bytes, *expected: int) -> None:
    """Demand one of the two envelopes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status(head) in (expected or range(400, 500)), answer[:500]
    data = json.loads(body)
    assert set(data) in ({"detail"}, {"error", "status"}), data


BAD_JSON = [
    b"{",
    b"nul",
    b'{"input": {"n": NaN}}',
    b'{"input": {"f": 1e999}}',
    b'{"input": {"n": 1' + b"0" * 5000 + b"}}",
    b'{"input": {"text": "\xff"}}',
    b'{"input": {"text": "a\x00b"}}',
    b'{"input": {"text": "\\ud800"}}',
    b'{"input": {"text": "\xed\xa0\x80"}}',
    b'{"input": {"text": "\\udc00\\ud800"}}',
    b"\xef\xbb\xbf{}",
    '{"input": {}}'.encode("utf-16"),
    bytes(range(256)),
    b"\x00" * 1000,
    b"[" * 100_000,
    b'{"input": {"free": ' + b'{"a":' * 300 + b"1" + b"}" * 302,
    b'{"input": {"free": {"a": ' + b"[" * 120 + b"]" * 120 + b"}}}",
]

BAD_FIELDS = [
    b"[]",
    b"3",
    b'"text"',
    b"null",
    b'{"input": []}',
    b'{"input": {"n": 1.5}}',
    b'{"input": {"n": true}}',
    b'{"input": {"n": "1"}}',
    b'{"input": {"text": ' + b"1" * 400 + b"}}",
    b'{"input": {"text": "good", "text": 3}}',
    b'{"id": 3}',
    b'{"id": ""}',
    b'{"id": "../../etc/passwd"}',
    b'{"id": "a\\u0000"}',
    b'{"id": "' + b"a" * 201 + b'"}',
    b'{"context": {"a": 1}}',
    b'{"webhook": "file:///etc/passwd"}',
    b'{"webhook": "http://[::1"}',
    b'{"webhook": "http://a:99999/"}',
    b'{"webhook_events_filter": [[]]}',
]


def test_bodies_that_are_not_what_they_should_be_are_refused(peer: Peer) -> None:
    for body in BAD_JSON:
        check_refused(peer.predict(body), 400)
    for body in BAD_FIELDS:
        check_refused(peer.predict(body), 422)
    check_refused(peer.predict(b" " * (MAX_BODY + 1)), 413)


def test_odd_but_legal_bodies_are_taken(peer: Peer) -> None:
    for body in (
        b"",
        b"{}",
        b'{"input": {"text": "a\\u0000b"}}',
        b'{"input": {"n": 1' + b"0" * 400 + b"}}",
        b'{"input": {"n": 3, "n": 4}}',
        b'{"input": {"free": {"a": ' + b"[" * 90 + b"]" * 90 + b"}}}",
        b'{"input": {"free": {"a": ' + b"[" + b"[1]," * 20_000 + b"1]}}}",
    ):
        answer = peer.predict(body)
        assert status(answer) == 200, answer[:300]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "succeeded"


def test_paths_and_queries_that_mean_harm_lead_nowhere(peer: Peer) -> None:
    for path in (
        b"/predictions/{id}",
        b"/predictions/%7Bid%7D",
        b"/predictions/a%2Fcancel",
        b"/predictions/..%2F..%2Fetc%2Fpasswd",
        b"/predictions/a%00",
        b"/predictions/%ff",
        b"/predictions/" + b"a" * 201,
        b"/predictions/",
        b"/predictions/%",
    ):
        check_refused(peer.ask("GET", path), 422)
        check_refused(peer.ask("PUT", path, b"{}"), 422)
    for path in (b"//", b"/../..", b"/predictions/a/b/c", b"/%00", b"/predictions/../livez/x"):
        check_refused(peer.ask("GET", path), 404)
    for path in (b"/caf\xc3\xa9", b"/a\x00b", b"livez", b"http://"):
        check_refused(peer.ask("GET", path), 400, 404)
    for query, code in (
        (b"limit=-1", 422),
        (b"limit=0000000011000", 422),
        (b"limit=000000001" + b"0" * 5000, 422),
        (b"limit=%D9%A3", 422),
        (b"cursor=%00", 400),
        (b"cursor=" + b"9" * 5000, 400),
        (b"cursor=%FF%FE", 400),
    ):
        check_refused(peer.ask("GET", b"/predictions?" + query), code)
    assert status(peer.ask("GET", b"/predictions?" + b"&=%" * 10_000)) == 200


def test_what_is_no_http_is_refused_and_the_connection_closed(peer: Peer) -> None:
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        GET + b"a : b\r\n\r\n",
        GET + b"a: \x00\r\n\r\n",
        GET + b"a: b\r\n c\r\n\r\n",
        POST + b"content-length: -1\r\n\r\n",
        POST + b"content-length: 1" + b"0" * 40 + b"\r\n\r\n",
        POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: gzip, other\r\n\r\n{}",
        CHUNKED + b"zz\r\n{}\r\n",
        CHUNKED + b"f" * 20 + b"\r\n{}\r\n",
        CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
        POST + b"content-length: 2\r\n\r\n{}{}{}{}",
    ):
        check_refused(peer.say(data), 400)


def test_rubbish_after_a_good_request_is_refused_too(peer: Peer) -> None:
    with peer.connect() as connection:
        connection.sendall(GET + b"\r\n")
        assert status(connection.recv(65536)) == 200
        connection.sendall(b"rubbish\r\n\r\n")
        check_refused(connection.recv(65536), 400)
        assert connection.recv(1) == b""


def test_heads_and_trailers_without_end_are_refused(peer: Peer) -> None:
    for data in (
        GET + b"a: " + b"b" * 70_000 + b"\r\n\r\n",
        GET + b"a: b\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        GET + b"a: " + b"b" * 2_000_000,
        CHUNKED + b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 200_000,
        CHUNKED + b"2;" + b"a" * 1_000_000,
    ):
        answer = peer.say(data)
        if answer:  # A client that goes on sending may lose it: the system resets the connection.
            check_refused(answer, 431)


def test_bodies_that_belie_their_length_are_given_up(peer: Peer) -> None:
    close = b"connection: close\r\n"
    for part in (
        POST + b"content-length: 20\r\n\r\n{}",
        CHUNKED + b"5\r\n{}",
        POST + b"content-length: 20\r\n",
    ):
        with peer.connect() as connection:
            connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    large = b"content-length: %d\r\n" % (MAX_BODY + 1)
    check_refused(peer.say(POST + close + large + b"\r\n{}"), 413)
    check_refused(peer.say(POST + b"expect: 100-continue\r\n" + large + b"\r\n"), 413)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = peer.say(CHUNKED.replace(b"host", close + b"host") + chunk * 5 + b"0\r\n\r\n")
    check_refused(answer, 413)


def test_the_less_known_parts_of_http_work(peer: Peer) -> None:
    length = b"content-length: 2\r\n"
    close = b"connection: close\r\n"
    assert statuses(peer.say(b"GET /livez HTTP/1.0\r\n\r\n")) == [200]
    assert statuses(peer.say((GET + b"\r\n") * 20 + GET + close + b"\r\n")) == [200] * 21
    answer = peer.say(POST + b"expect: 100-continue\r\n" + length + b"\r\n{}")
    assert statuses(answer) == [100, 200]
    trailer = (
        CHUNKED.replace(b"host", close + b"host")
        + b"2\r\n{}\r\n0\r\naccept: text/event-stream\r\n\r\n"
    )
    assert statuses(peer.say(trailer)) == [200]
    head = peer.ask("HEAD", b"/livez")
    assert status(head) == 200
    assert head.endswith(b"\r\n\r\n")
    check_refused(peer.ask("OPTIONS", b"/predictions"), 405)
    check_refused(peer.ask("OPTIONS", b"*"), 404)
    h2c = b"upgrade: h2c\r\n"
    with peer.connect() as connection:
        connection.sendall(POST + b"connection: upgrade\r\n" + h2c + length + b"\r\n{}")
        assert statuses(connection.recv(65536)) == [200]
    odd = b"\xff" * 100
    answer = peer.ask("POST", b"/predictions", b"{}", b"traceparent: " + odd, b"prefer: " + odd)
    assert status(answer) == 200


def test_clients_that_stall_keep_nobody_waiting(peer: Peer) -> None:
    stalled = [peer.connect() for _ in range(50)]
    for number, connection in enumerate(stalled):
        parts = (b"", b"P", GET, POST + b"content-length: 9\r\n\r\n{", CHUNKED + b"5\r\n{")
        connection.sendall(parts[number % 5])
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(peer.predict, b"{}").result(BOUND_S)
    for connection in stalled:
        connection.close()
