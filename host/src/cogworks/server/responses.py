"""Answers in JSON, with one envelope for errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

WHOLE_ANSWER = "cogworks.whole_answer"
"""The extension of ASGI by which an answer is sent at once: status, lines of headers, body."""

_NONE: dict[str, Any] = {}

_encode = msgspec.json.encode


class JsonResponse:
    """An ASGI application that sends one JSON text.

    Starlette's ``Response`` does the same for ten times the price, and every prediction pays it.
    """

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        data: Any,
        status: int = 200,
        headers: dict[str, str] | None = None,
        content_type: bytes = b"application/json",
    ) -> None:
        """Encode ``data``, unless it is bytes already; ``headers`` are added to type and length."""
        self.body = data if isinstance(data, bytes) else _encode(data)
        self.status = status
        self.headers = headers
        self.content_type = content_type

    @property
    def head(self) -> bytes:
        """Return the lines of the headers but for the length."""
        if self.headers is None:
            return b"content-type: %b\r\n" % self.content_type
        lines = [b"content-type: ", self.content_type, b"\r\n"]
        for name, value in self.headers.items():
            lines.append(f"{name.lower()}: {_single_line(value)}\r\n".encode("latin-1"))
        return b"".join(lines)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; to HEAD, without its body. Source: ASGI 3, HTTP response events."""
        answer = scope.get("extensions", _NONE).get(WHOLE_ANSWER)
        if answer is not None:
            answer(self.status, self.head, self.body)
            return
        headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", self.content_type),
        ]
        if self.headers:
            headers += [(k.lower().encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None
) -> JsonResponse:
    """Return the envelope of every error that is not about the fields of a request."""
    return JsonResponse({"error": message, "status": "failed"}, status, headers)


def detail_response(detail: list[dict[str, Any]]) -> JsonResponse:
    """Return the envelope of a request whose fields are wrong: 422, a list of ``{loc, msg, type}``."""
    return JsonResponse({"detail": detail}, 422)


def _single_line(value: str) -> str:
    """Return a header's value, which must not end its line.

    Raises:
        ValueError: it does.
    """
    if "\n" in value or "\r" in value:
        raise ValueError(f"a header of the answer has more than one line: {value[:80]!r}")
    return value
