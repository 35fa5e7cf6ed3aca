"""Read a request: its body within bounds, its fields with their types, everything checked at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from cog._schema.kinds import is_dict, is_list
from cogworks.errors import CogworksError
from cogworks.server.errors import ClientLeftError
from cogworks.server.prediction_request import ALL_EVENTS, PredictionRequest
from cogworks.server.preferences import accepts_events, prefers_async
from cogworks.server.webhooks import validate_webhook

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

ID_PATTERN = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]{1,200}")
"""What a client may choose as an id; no path could lead to ``.`` and ``..``."""

BAD_ID = "must be 1 to 200 characters of A-Z a-z 0-9 . _ ~ -, other than . and .."

DEFAULT_PAGE = 20
MAX_PAGE = 100
"""How many predictions ``GET /predictions`` shows at once."""

MAX_LIMIT_DIGITS = 9
"""Python takes long to read very long numbers, and refuses them."""

LARGE_BYTES = 256 * 1024
"""From here on, files are taken out of a body before it is parsed; smaller ones are parsed in less time
than threads take."""

MAX_DEPTH = 100
"""Levels of arrays and objects in a body: all that reads it later must get to its ground."""

COUNTED_BYTES = 64 * 1024
"""Bodies below are short enough to count their brackets one by one."""

TOO_DEEP = f"The body has more than {MAX_DEPTH} levels of arrays and objects"

NOT_FILES = (b"", b"application/json", b"application/x-www-form-urlencoded")
"""Content types of bodies that are neither forms with files nor files."""

TRACE_HEADERS = ("traceparent", "tracestate")


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
        ClientLeftError: the client is gone.
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
        raise ClientLeftError
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def find_header(scope: Scope, name: bytes) -> bytes:
    """Return the first header of that name, in lower case; empty if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def is_upload(scope: Scope) -> bool:
    """Tell whether the body is a form or a file, by its Content-Type."""
    content_type = find_header(scope, b"content-type")
    if content_type == b"application/json":
        return False
    return content_type.partition(b";")[0].strip().lower() not in NOT_FILES


def read_json_request(scope: Scope, body: bytes) -> PredictionRequest:
    """Return the request of a body in JSON; no body at all stands for no inputs.

    Raises:
        BadRequestError: 400 for no JSON, 415.
        BadFieldsError: fields of a wrong type.
    """
    data: Any = {}
    if body:
        data = decode_json(scope, body)
    request = parse_prediction_request(data)
    # Most requests have none of these: nothing else is done for them.
    present = dict(scope["headers"])
    is_streamed = b"accept" in present and accepts_events(scope)
    is_async = b"prefer" in present and not is_streamed and prefers_async(scope)
    trace = read_trace(scope) if b"traceparent" in present or b"tracestate" in present else {}
    if not (is_streamed or is_async or trace):
        return request
    return replace(request, is_streamed=is_streamed, is_async=is_async, trace=trace)


def decode_json(scope: Scope, body: bytes) -> Any:
    """Return what a JSON body holds.

    Raises:
        BadRequestError: 400 for no JSON, or too deep, 415.
    """
    content_type = find_header(scope, b"content-type")
    if content_type == b"application/json":
        return decode_body(body)
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        shown = media_type[:80].decode("latin-1") or "missing"
        raise BadRequestError(415, f"Content-Type must be application/json; it is {shown}")
    return decode_body(body)


def decode_body(body: bytes, what: str = "The body") -> Any:
    """Return what a JSON text holds; ``what`` it is called in errors.

    Raises:
        BadRequestError: 400 for no JSON, or too deep.
    """
    try:
        data = msgspec.json.decode(body)
    except RecursionError as error:
        raise BadRequestError(400, TOO_DEEP) from error
    except ValueError as error:
        raise BadRequestError(400, f"{what} is not JSON: {error}") from error
    # Few brackets cannot nest deeply, and they are counted in no time.
    if _has_many_brackets(body):
        check_depth(data)
    return data


def check_depth(data: Any) -> None:
    """Refuse what has more than ``MAX_DEPTH`` levels of arrays and objects; looks at all of it.

    Raises:
        BadRequestError: 400, it has.
    """
    if _is_too_deep(data):
        raise BadRequestError(400, TOO_DEEP)


def parse_prediction_request(data: Any) -> PredictionRequest:
    """Check the fields of a prediction request, all at once; fields without a meaning are ignored.

    Raises:
        BadFieldsError: what is wrong.
    """
    if not is_dict(data):
        raise BadFieldsError([field_problem(["body"], "must be a JSON object")])
    inputs = data.get("input")
    context = data.get("context")
    prediction_id = data.get("id")
    webhook = data.get("webhook")
    events = data.get("webhook_events_filter")
    problems: list[dict[str, Any]] = []
    if inputs is not None and not is_dict(inputs):
        problems.append(field_problem(["body", "input"], "must be an object"))
    if context is not None and not _is_text_map(context):
        problems.append(
            field_problem(["body", "context"], "must be an object whose values are strings")
        )
    if prediction_id is not None and not is_id(prediction_id):
        problems.append(field_problem(["body", "id"], BAD_ID))
    if webhook is not None:
        problem = validate_webhook(webhook) if isinstance(webhook, str) else "must be a string"
        if problem:
            problems.append(field_problem(["body", "webhook"], problem))
    if events is not None and not _are_events(events):
        names = ", ".join(sorted(ALL_EVENTS))
        problems.append(
            field_problem(["body", "webhook_events_filter"], f"must be a list of: {names}")
        )
    if problems:
        raise BadFieldsError(problems)
    return PredictionRequest(
        inputs or {},
        context or {},
        prediction_id,
        webhook=webhook,
        events=ALL_EVENTS if events is None else frozenset(events),
    )


def read_trace(scope: Scope) -> dict[str, str]:
    """Return the headers of the client's trace, to be passed on, unless they are none.

    Source: W3C Trace Context.
    """
    return {
        name: value
        for name in TRACE_HEADERS
        if (value := _printable(find_header(scope, name.encode())))
    }


def read_page(scope: Scope) -> tuple[int, str | None]:
    """Return how many predictions a page shall have, and where it begins.

    Raises:
        BadFieldsError: the limit is no number from 1 to ``MAX_PAGE``.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    limit = query.get("limit", [str(DEFAULT_PAGE)])[-1]
    is_number = limit.isascii() and limit.isdigit() and len(limit) <= MAX_LIMIT_DIGITS
    if not (is_number and 1 <= int(limit) <= MAX_PAGE):
        raise BadFieldsError([field_problem(["query", "limit"], f"must be from 1 to {MAX_PAGE}")])
    return int(limit), query.get("cursor", [None])[-1]


def is_id(value: Any) -> bool:
    """Tell whether a client may choose this as an id."""
    return isinstance(value, str) and ID_PATTERN.fullmatch(value) is not None


def check_id(prediction_id: str) -> None:
    """Refuse an id in a URL that nobody can have.

    Raises:
        BadFieldsError: it is none.
    """
    if not is_id(prediction_id):
        raise BadFieldsError([field_problem(["path", "id"], BAD_ID)])


def with_id(request: PredictionRequest, prediction_id: str, kind: str) -> PredictionRequest:
    """Return the request with the id of its URL.

    Raises:
        BadFieldsError: the body names another one.
    """
    if request.id not in (None, prediction_id):
        message = f"{kind} ID must match the ID supplied in the URL"
        raise BadFieldsError([field_problem(["body", "id"], message)])
    return replace(request, id=prediction_id)


def _has_many_brackets(body: bytes) -> bool:
    """Tell whether a body has more opening brackets than it may have levels."""
    if len(body) < COUNTED_BYTES:
        return body.count(b"[") + body.count(b"{") > MAX_DEPTH
    # Going from one to the next skips a long text, such as a file's, twenty times as fast.
    return sum(_count_up_to(MAX_DEPTH + 1, body, bracket) for bracket in (b"[", b"{")) > MAX_DEPTH


def _count_up_to(limit: int, body: bytes, part: bytes) -> int:
    count, at = 0, body.find(part)
    while at >= 0 and count < limit:
        count += 1
        at = body.find(part, at + 1)
    return count


def _is_too_deep(data: Any) -> bool:
    """Tell whether there are more than ``MAX_DEPTH`` levels; one after the other, without recursion."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if is_dict(item):
                below += item.values()
            elif is_list(item):
                below += item
        if not below:
            return False
        level = [item for item in below if isinstance(item, (dict, list))]
    return bool(level)


def _printable(value: bytes) -> str:
    text = value.decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def _are_events(value: Any) -> bool:
    return is_list(value) and all(isinstance(item, str) and item in ALL_EVENTS for item in value)


def _is_text_map(value: Any) -> bool:
    return is_dict(value) and all(isinstance(item, str) for item in value.values())


def field_problem(loc: list[str], message: str) -> dict[str, Any]:
    """Return what is wrong with one field, for ``BadFieldsError``."""
    return {"loc": loc, "msg": message, "type": "value_error"}


def _too_large(limit_bytes: int) -> BadRequestError:
    return BadRequestError(413, f"The body is larger than {limit_bytes} bytes (COG_MAX_BODY)")
