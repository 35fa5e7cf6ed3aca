"""Read a request: its body within bounds, its fields with their types, everything checked at once."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from cog._schema.kinds import is_dict
from cogworks.errors import CogworksError
from cogworks.server.service import PredictionRequest

ID_PATTERN = re.compile(r"[A-Za-z0-9._~-]{1,200}")
"""What a client may choose as an id."""


class BadRequestError(CogworksError):
    """The request cannot be understood; ``status`` is the HTTP status to answer with."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status."""
        super().__init__(message)
        self.status = status


class BadFieldsError(CogworksError):
    """Fields of the body are not what they should be; ``detail`` lists ``{loc, msg, type}``."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        """Keep the list."""
        super().__init__("; ".join(str(item["msg"]) for item in detail))
        self.detail = detail


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """Return the whole body.

    Raises:
        BadRequestError: 413, it is longer than ``limit_bytes``, whatever its header says.
        ClientDisconnect: the client is gone.
    """
    declared = find_header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size_bytes = len(body)
        while message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            size_bytes += len(parts[-1])
            if size_bytes > limit_bytes:
                raise _too_large(limit_bytes)
        body = b"".join(parts)
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def find_header(scope: Scope, name: bytes) -> bytes:
    """Return the first header of that name, in lower case; empty if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


async def read_prediction_request(
    scope: Scope, receive: Receive, limit_bytes: int
) -> PredictionRequest:
    """Read the body of ``POST /predictions``; no body at all stands for no inputs.

    Raises:
        BadRequestError: 400 for no JSON, 413, 415.
        BadFieldsError: fields of a wrong type.
    """
    body = await read_body(scope, receive, limit_bytes)
    if not body:
        return PredictionRequest()
    media_type = find_header(scope, b"content-type").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        shown = media_type[:80].decode("latin-1") or "missing"
        raise BadRequestError(415, f"Content-Type must be application/json; it is {shown}")
    try:
        data = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(400, f"The body is not JSON: {error}") from error
    return parse_prediction_request(data)


def parse_prediction_request(data: Any) -> PredictionRequest:
    """Check the fields of a prediction request, all at once; fields without a meaning are ignored.

    Raises:
        BadFieldsError: what is wrong.
    """
    if not is_dict(data):
        raise BadFieldsError([_detail(["body"], "must be a JSON object")])
    inputs = data.get("input")
    context = data.get("context")
    prediction_id = data.get("id")
    problems: list[dict[str, Any]] = []
    if inputs is not None and not is_dict(inputs):
        problems.append(_detail(["body", "input"], "must be an object"))
    if context is not None and not _is_text_map(context):
        problems.append(_detail(["body", "context"], "must be an object whose values are strings"))
    if prediction_id is not None and not _is_id(prediction_id):
        problems.append(
            _detail(["body", "id"], "must be 1 to 200 characters of A-Z a-z 0-9 . _ ~ -")
        )
    if problems:
        raise BadFieldsError(problems)
    return PredictionRequest(inputs or {}, context or {}, prediction_id)


def _is_text_map(value: Any) -> bool:
    return is_dict(value) and all(isinstance(item, str) for item in value.values())


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and ID_PATTERN.fullmatch(value) is not None


def _detail(loc: list[str], message: str) -> dict[str, Any]:
    return {"loc": loc, "msg": message, "type": "value_error"}


def _too_large(limit_bytes: int) -> BadRequestError:
    return BadRequestError(413, f"The body is larger than {limit_bytes} bytes (COG_MAX_BODY)")
