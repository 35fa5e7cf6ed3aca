"""The little of HTTP/1.1 that a registry on loopback needs: one request after another, and answers of known length.

To load the standard library's client takes longer than a whole push of some code. Whatever an answer has that is not known
here is an error, and then somebody else asks. Source: RFC 9112, "HTTP/1.1".
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader

LINE_MAX_BYTES = 16 * 1024
HEADERS_MAX = 100
BODY_MAX_BYTES = 4 * 1024 * 1024
PORT = 80


class AnswerError(Exception):
    """An answer is none, or is one that is not understood here."""


class PlainConnection:
    """A connection to `host:port`, opened when it is needed; one answer is read before the next question."""

    def __init__(self, host: str, timeout_s: float) -> None:
        name, colon, port = host.rpartition(":")
        has_port = bool(colon) and port.isdigit()
        self._address = ((name if has_port else host).strip("[]"), int(port) if has_port else PORT)
        self._host, self._timeout_s = host, timeout_s
        self._socket: socket.socket | None = None
        self._answers: BufferedReader | None = None

    def close(self) -> None:
        """Close it; the next question opens it again."""
        if self._answers is not None:
            self._answers.close()
        if self._socket is not None:
            self._socket.close()
        self._answers = self._socket = None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers with names in lower case, and body of the answer.

        Raises:
            AnswerError: it is not understood.
            OSError: the connection broke.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        # In one piece: a second one would wait until the first is acknowledged.
        data = "\r\n".join([*lines, "", ""]).encode("ascii") + body
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._answers = self._socket.makefile("rb")
        self._socket.sendall(data)
        assert self._answers is not None
        status, found = _head(self._answers)
        content = _content(self._answers, found)
        if found.get("connection", "").lower() == "close":
            self.close()
        return status, found, content


def _head(answers: BufferedReader) -> tuple[int, dict[str, str]]:
    version, _, rest = _line(answers).partition(" ")
    status = rest[:3]
    if version != "HTTP/1.1" or not status.isdigit() or status.startswith("1"):
        raise AnswerError(f"an answer begins with {version[:20]!r} {status!r}")
    found: dict[str, str] = {}
    while line := _line(answers):
        name, colon, value = line.partition(":")
        if not colon or len(found) >= HEADERS_MAX:
            raise AnswerError("an answer's headers are not understood")
        found[name.lower()] = value.strip()
    return int(status), found


def _line(answers: BufferedReader) -> str:
    line = answers.readline(LINE_MAX_BYTES)
    if not line.endswith(b"\r\n"):
        raise AnswerError("an answer ends in the middle of a line")
    return line[:-2].decode("latin-1")


def _content(answers: BufferedReader, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or not length.isdigit() or int(length) > BODY_MAX_BYTES:
        raise AnswerError("an answer's length is not known")
    content = answers.read(int(length))
    if len(content) < int(length):
        raise AnswerError("an answer was cut")
    return content
