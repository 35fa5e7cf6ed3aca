"""Rubbish on a real socket: whatever comes, the server refuses or closes, forgets it, and serves the next."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

BOUND_S = 5.0
MODEL = """
from typing import Any, List, Optional
from cog import BaseRunner
class Runner(BaseRunner):
    def run(self, text: str = "x", n: int = 0, f: float = 0.0, xs: List[str] = [], o: Optional[dict] = None, a: Any = None) -> str:
        return repr((text, n, f, xs, o, a))
"""

METHODS = [
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"HEAD",
    b"OPTIONS",
    b"PATCH",
    b"TRACE",
    b"get",
    b"\xff",
]
PATHS = [
    *(b"/", b"/livez", b"/predictions", b"/predictions/abc", b"/predictions/abc/cancel", b"/docs"),
    *(b"/openapi.json", b"/metrics", b"/predictions?limit=3&cursor=7", b"*", b"//", b"/%2e%2e/%00"),
    *(b"http://x/livez", b"/predictions/..", b"/predictions/%2e%2e", b"/%6civez", b"/trainings"),
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b""]
HEADERS = [
    *(b"host: x", b"connection: close", b"connection: keep-alive, upgrade", b"upgrade: websocket"),
    *(b"content-type: application/json", b"content-type: application/json; charset=utf-7"),
    *(b"content-type: multipart/form-data; boundary=x", b"content-type: multipart/form-data"),
    *(b"content-length: 2", b"content-length: 99", b"content-length: -1", b"content-length: 1e3"),
    *(b"transfer-encoding: chunked", b"transfer-encoding: gzip, chunked", b"te: trailers"),
    *(
        b"expect: 100-continue",
        b"expect: everything",
        b"accept: text/event-stream",
        b"range: bytes=0-",
    ),
    *(b"prefer: respond-async", b'prefer: "', b"last-event-id: -1", b"authorization: Bearer \xff"),
    *(
        b"traceparent: 00-0-0-0",
        b"accept: ,;q=,",
        b"x: " + b"y" * 9000,
        b": empty",
        b"folded:\r\n x",
    ),
    *(b"content-encoding: gzip", b"content-length: 2, 2", b"cookie: a=\x01"),
]
BODIES = [
    *(b"", b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b'{"input":{"n":1e400}}'),
    *(b'{"input":{"text":"\xc3("}}', b'{"input":{"f":' + b"9" * 400 + b"}}", b"[[[[", b"null"),
    *(
        b'{"input":{"o":' + b'{"a":' * 90 + b"1" + b"}" * 90 + b"}}",
        b'{"id":".."}',
        b'{"a":1,"a":2}',
    ),
    *(
        b"--x\r\ncontent-disposition: form-data; name=input\r\n\r\n{}\r\n--x--\r\n",
        b"--x",
        b"\x00" * 50,
    ),
]


def request(method: bytes, path: bytes, version: bytes, headers: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join([b" ".join((method, path, version)), *headers, b"", body])


REQUESTS = st.builds(
    request,
    st.sampled_from(METHODS) | st.binary(max_size=8),
    st.sampled_from(PATHS) | st.binary(max_size=30).map(b"/".__add__),
    st.sampled_from(VERSIONS),
    st.lists(st.sampled_from(HEADERS) | st.binary(max_size=40), max_size=6),
    st.sampled_from(BODIES) | st.binary(max_size=200),
)


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """Return requests with a piece cut out, doubled or overwritten."""
    data = b"".join(draw(st.lists(REQUESTS, min_size=1, max_size=3)))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    piece = draw(
        st.sampled_from([b"", data[start:end] * 2, b"\r\n", b"\x00"]) | st.binary(max_size=9)
    )
    return data[:start] + piece + data[end:]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["text", "n", "f", "xs", "o", "a", "unknown"])
KEYS = st.sampled_from(["input", "id", "context", "webhook_events_filter", "created_at"])
CALLS = st.dictionaries(KEYS, JSON | st.dictionaries(FIELDS, JSON, max_size=3), max_size=3)


ROUTES = [
    *((b"POST", b"/predictions"), (b"PUT", b"/predictions/abc"), (b"GET", b"/predictions/abc")),
    *((b"DELETE", b"/predictions/abc"), (b"GET", b"/predictions"), (b"POST", b"/predictions")),
]


@st.composite
def proper(draw: st.DrawFn) -> bytes:
    """Return a request that is one, about anything."""
    body = json.dumps(draw(CALLS)).encode("utf-8", "surrogatepass")
    method, path = draw(st.sampled_from(ROUTES))
    kind = draw(
        st.sampled_from([b"application/json", b"text/json", b"APPLICATION/JSON ; a=b", b""])
    )
    extra = draw(st.sampled_from([b"x: y", b"prefer: respond-async", b"accept: text/event-stream"]))
    head = [method + b" " + path + b" HTTP/1.1", b"host: x", b"content-type: " + kind, extra]
    return b"\r\n".join([*head, b"content-length: %d" % len(body)]) + b"\r\n\r\n" + body


STREAMS = proper() | REQUESTS | mutilated() | st.binary(max_size=300)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


class Target:
    """A server and what must stay as it is."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.port = urlsplit(str(server.url)).port

    def say(self, data: bytes, cut: int) -> bytes:
        """Send in two pieces, end our side, and return all that comes before the server closes."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), BOUND_S) as connection:
            try:
                connection.sendall(data[:cut])
                connection.sendall(data[cut:])
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    answer += chunk
            except TimeoutError:
                raise  # It hangs.
            except OSError:
                pass  # Closed with bytes of ours unread.
        return answer

    def descriptors(self) -> int:
        self.server.client.get("/livez")
        folder = Path("/proc", str(self.server.process.pid), "fd")
        return len(os.listdir(folder)) if folder.exists() else 0


@pytest.fixture(scope="module")
def seen() -> set[int]:
    """Collect the statuses of all answers."""
    return set()


@pytest.fixture
def target(launch_server: Any, tmp_path: Path) -> Iterator[Target]:
    (tmp_path / "run.py").write_text(MODEL)
    target = Target(launch_server(str(tmp_path), COG_MAX_BODY="100000", COG_QUEUE_SIZE="1000"))
    before = target.descriptors()
    yield target
    assert target.server.predict(text="still").json()["status"] == "succeeded"
    assert target.server.process.poll() is None
    assert "Traceback" not in target.server.log()
    target.server.wait_for("READY")
    assert target.descriptors() <= before + 2


@seed(1)
@settings(max_examples=600, deadline=None, database=None, suppress_health_check=SLOW)
@given(data=STREAMS, where=st.integers(0, 100))
def check_stream(target: Target, seen: set[int], data: bytes, where: int) -> None:
    if b"shutdown" in data:
        return
    answer = target.say(data, len(data) * where // 100)
    statuses = {int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)}
    assert not {status for status in statuses if status >= 500}, (data, answer)
    seen |= statuses
    assert target.server.client.get("/livez").status_code == 200


def test_no_stream_of_bytes_brings_the_server_down(target: Target, seen: set[int]) -> None:
    check_stream(target, seen)
    # It got through to where it hurts, too.
    assert {200, 400, 404, 405, 415, 422} <= seen
