from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from cogworks.repeat.plain_http import HEADERS_MAX, AnswerError, PlainConnection

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Name: a b \r\n\r\nhi"


@contextmanager
def server(*answers: bytes) -> Generator[tuple[str, list[bytes]]]:
    """Serve one answer a connection; yield the host and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", asked
        thread.join()


def test_a_question_is_sent_whole_and_its_answer_read_to_its_end() -> None:
    with server(OK) as (host, asked):
        connection = PlainConnection(host, 5)
        assert connection.ask("PUT", "/v2/a", {"Accept": "x"}, b"body") == (
            *(201, {"content-length": "2", "x-name": "a b"}),
            b"hi",
        )
        connection.close()
    head = f"PUT /v2/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nAccept: x\r\n\r\n"
    assert asked == [head.encode() + b"body"]


def test_a_connection_that_is_closed_is_opened_for_the_next_question() -> None:
    closing = OK.replace(b"X-Name: a b ", b"Connection: close")
    with server(closing, OK) as (host, asked):
        connection = PlainConnection(host, 5)
        for _ in range(2):
            assert connection.ask("GET", "/", {}, b"")[0] == 201
        connection.close()
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(HEADERS_MAX + 1)),
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * 20_000,
    ],
)
def test_what_is_not_understood_is_an_error(answer: bytes) -> None:
    with server(answer) as (host, _):
        connection = PlainConnection(host, 5)
        with pytest.raises((AnswerError, OSError)):
            connection.ask("GET", "/", {}, b"")
        connection.close()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", ("localhost", 80)),
        ("127.0.0.1:5000", ("127.0.0.1", 5000)),
        ("[::1]:5000", ("::1", 5000)),
    ],
)
def test_a_host_may_have_a_port(host: str, address: tuple[str, int]) -> None:
    assert PlainConnection(host, 1)._address == address
