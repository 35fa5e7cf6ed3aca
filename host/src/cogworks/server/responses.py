"""JSON in and out of HTTP, with one envelope for errors."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

encode = msgspec.json.encode


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with ``data`` as its body."""
    return Response(encode(data), status, headers, "application/json")


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return the envelope of every error that is not about the fields of a request."""
    return json_response({"error": message, "status": "failed"}, status, headers)


def detail_response(detail: list[dict[str, Any]]) -> Response:
    """Return the envelope of a request whose fields are wrong: 422, a list of ``{loc, msg, type}``."""
    return json_response({"detail": detail}, 422)
