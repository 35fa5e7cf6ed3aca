"""Answers in JSON, with one envelope for errors."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; to HEAD, without its body. Source: ASGI 3, HTTP response events."""
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
