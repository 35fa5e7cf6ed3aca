"""Requests for predictions that bring files with them: forms, and bodies that are one file.

What arrives goes through a thread to the disk, a piece at a time; the event loop only carries it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace
from python_multipart.multipart import parse_options_header

from cog._schema.kinds import is_dict
from cogworks.server.errors import ClientLeftError
from cogworks.server.form_values import FormSchema
from cogworks.server.media import UNKNOWN, extension_for
from cogworks.server.multipart import (
    MAX_PARTS,
    FormParser,
    PartHead,
    PartSink,
    TextBudget,
    TextSink,
)
from cogworks.server.preferences import accepts_events, prefers_async
from cogworks.server.requests import (
    BadFieldsError,
    BadRequestError,
    check_depth,
    decode_body,
    field_problem,
    find_header,
    parse_prediction_request,
    read_trace,
)
from cogworks.server.service import PredictionRequest
from cogworks.server.uploads import DEFAULT_NAME, FileSink, UploadedFiles, full_disk_named

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

PIECE_BYTES = 1024 * 1024
"""Written at once: large enough for what a hop to a thread costs."""

FORM = b"multipart/form-data"

REQUEST_FIELDS = ("input", "context", "id", "webhook", "webhook_events_filter")
"""Parts of a form that mean the field of the request, unless the model has an input of that name."""

FILES_ARE_GONE = "the files that were uploaded with it ended with the server that had them"
"""Why a next server cannot run it."""

_OBJECTS = ("input", "context")


def check_origin(scope: Scope) -> None:
    """Refuse a form of another site: browsers send those without asking, unlike JSON.

    Raises:
        BadRequestError: 403.

    Source: Fetch Metadata Request Headers; older browsers, and plain HTTP, have ``Origin`` alone.
    """
    site = find_header(scope, b"sec-fetch-site")
    origin = find_header(scope, b"origin")
    if site:
        is_foreign = site not in (b"same-origin", b"none")
    else:
        host = find_header(scope, b"host")
        is_foreign = bool(origin) and _netloc(origin) != host.decode("latin-1").lower()
    if is_foreign:
        raise BadRequestError(403, "Files are not taken from pages of other sites; send JSON")


async def read_upload_request(
    scope: Scope, receive: Receive, schema: FormSchema, files: UploadedFiles, limit_bytes: int
) -> PredictionRequest:
    """Read a request whose body is a form or a file into ``files``, which the caller discards.

    Raises:
        BadRequestError: 400 for what is no form, or too deep, 403, 413, 415.
        DiskFullError: there is no room for the files.
        BadFieldsError: parts that the model does not have, or of a wrong type.
        ClientLeftError: the client is gone.
    """
    check_origin(scope)
    media_type = find_header(scope, b"content-type").partition(b";")[0].strip().lower()
    try:
        with full_disk_named():
            reader = (
                _Form(scope, schema, files) if media_type == FORM else _Raw(scope, schema, files)
            )
            async for piece in _pieces(scope, receive, limit_bytes):
                await asyncio.to_thread(reader.feed, piece)
            data = await asyncio.to_thread(_finish, reader)
    finally:
        files.close()
    request = replace(parse_prediction_request(data), files=files, obstacle=FILES_ARE_GONE)
    is_streamed = accepts_events(scope)
    return replace(
        request,
        is_streamed=is_streamed,
        is_async=not is_streamed and prefers_async(scope),
        trace=read_trace(scope),
    )


def _finish(reader: _Form | _Raw) -> dict[str, Any]:
    """Return the request; a part may be JSON as deep as a body."""
    data = reader.finish()
    check_depth(data)
    return data


async def _pieces(scope: Scope, receive: Receive, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about ``PIECE_BYTES``."""
    declared = find_header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    parts: list[bytes] = []
    waiting_bytes = seen_bytes = 0
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        part: bytes = message.get("body", b"")
        has_more = bool(message.get("more_body"))
        parts.append(part)
        waiting_bytes += len(part)
        seen_bytes += len(part)
        if seen_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        if waiting_bytes >= PIECE_BYTES or not has_more:
            yield b"".join(parts)
            parts, waiting_bytes = [], 0


class _Form:
    """A form: each part is an input, or a field of the request."""

    def __init__(self, scope: Scope, schema: FormSchema, files: UploadedFiles) -> None:
        self._schema = schema
        self._files = files
        self._budget = TextBudget()
        self._texts: dict[str, list[str]] = {}
        self._fields: dict[str, list[str]] = {}
        self._tokens: dict[str, set[str]] = {}
        self._parser = FormParser(find_header(scope, b"content-type"), self._open_part)

    def feed(self, data: bytes) -> None:
        self._parser.feed(data)

    def finish(self) -> dict[str, Any]:
        self._parser.finish()
        data: dict[str, Any] = {
            name: _field(name, texts) for name, texts in self._fields.items() if texts[-1]
        }
        inputs = data.get("input", {})
        if is_dict(inputs):
            data["input"] = {**inputs, **self._inputs()}
        return data

    def _inputs(self) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for name, texts in self._texts.items():
            if self._schema.is_none(name, texts):
                continue
            is_list = self._schema.is_list(name)
            if self._schema.is_file(name) and not is_list and len(texts) > 1:
                raise BadFieldsError([field_problem(["body", "input", name], "was given twice")])
            if is_list and self._tokens.get(name):
                inputs[name] = texts  # A single token is no JSON text.
            else:
                inputs[name] = self._schema.value(name, texts)
        return inputs

    def _open_part(self, head: PartHead) -> PartSink:
        name = head.name
        if name not in self._schema:
            if name in REQUEST_FIELDS:
                return self._text(self._fields, name)
            raise BadFieldsError([field_problem(["body", name[:80]], "is no input of this model")])
        if head.filename is None:
            return self._text(self._texts, name)
        if not self._schema.is_file(name):
            raise BadFieldsError(
                [field_problem(["body", "input", name], "is no file: send it without a file name")]
            )
        return self._file(name, head)

    def _text(self, texts: dict[str, list[str]], name: str) -> TextSink:
        def add(data: bytes) -> None:
            try:
                texts.setdefault(name, []).append(data.decode("utf-8"))
            except UnicodeDecodeError as error:
                problem = field_problem(["body", name], "is no UTF-8 text")
                raise BadFieldsError([problem]) from error

        return TextSink(self._budget, add)

    def _file(self, name: str, head: PartHead) -> PartSink:
        token, sink = self._files.create(_file_name(head.filename or "", head.media_type))
        if not head.filename:
            return _MaybeFile(
                sink, lambda: self._add(name, token), lambda: self._files.forget(token)
            )
        self._add(name, token)
        return sink

    def _add(self, name: str, token: str) -> None:
        self._texts.setdefault(name, []).append(token)
        self._tokens.setdefault(name, set()).add(token)


class _MaybeFile:
    """A part with an empty file name: where it is empty too, a form had no file chosen."""

    def __init__(
        self, sink: FileSink, on_file: Callable[[], None], on_nothing: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._on_file = on_file
        self._on_nothing = on_nothing

    def write(self, data: bytes | memoryview) -> None:
        self._sink.write(data)

    def close(self) -> None:
        self._sink.close()
        if self._sink.size_bytes:
            self._on_file()
        else:
            self._on_nothing()


class _Raw:
    """A body that is the first file input which the query does not name; the query has the others."""

    def __init__(self, scope: Scope, schema: FormSchema, files: UploadedFiles) -> None:
        self._schema = schema
        self._texts = self._read_query(scope)
        names = [name for name in schema.file_names if name not in self._texts]
        content_type = find_header(scope, b"content-type")
        media_type = content_type.partition(b";")[0].strip().lower().decode("latin-1")
        if not names:
            shown = media_type[:80]
            raise BadRequestError(
                415, f"Content-Type must be application/json; it is {shown}, and no input is a file"
            )
        self._name = names[0]
        disposition = find_header(scope, b"content-disposition").decode("latin-1")
        name = parse_options_header(disposition)[1].get(b"filename", b"").decode("utf-8", "replace")
        self._token, self._sink = files.create(_file_name(name, media_type))

    def _read_query(self, scope: Scope) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                scope["query_string"].decode("latin-1"),
                keep_blank_values=True,
                max_num_fields=MAX_PARTS,
            )
        except ValueError as error:
            raise BadRequestError(400, f"The query has more than {MAX_PARTS} fields") from error
        for name, text in pairs:
            if name not in self._schema:
                raise BadFieldsError(
                    [field_problem(["query", name[:80]], "is no input of this model")]
                )
            texts.setdefault(name, []).append(text)
        return texts

    def feed(self, data: bytes) -> None:
        self._sink.write(data)

    def finish(self) -> dict[str, Any]:
        self._sink.close()
        inputs = {
            name: self._schema.value(name, texts)
            for name, texts in self._texts.items()
            if not self._schema.is_none(name, texts)
        }
        is_list = self._schema.is_list(self._name)
        return {"input": {**inputs, self._name: [self._token] if is_list else self._token}}


def _field(name: str, texts: list[str]) -> Any:
    """Return a field of the request: objects as JSON, a list as JSON or repeated, else a text."""
    if name in _OBJECTS:
        return decode_body(texts[-1].encode(), f"The part {name}")
    if name == "webhook_events_filter":
        if texts[0].lstrip().startswith("["):
            return decode_body(texts[0].encode(), f"The part {name}")
        return texts
    return texts[-1]


def _file_name(name: str, media_type: str) -> str:
    """Return the name of a file; one without gets the extension of its type, if that is known."""
    if name:
        return name
    extension = extension_for(media_type)
    return DEFAULT_NAME if media_type == UNKNOWN else DEFAULT_NAME + extension


def _netloc(origin: bytes) -> str:
    try:
        return urlsplit(origin.decode("latin-1")).netloc.lower()
    except ValueError:
        return ""


def _too_large(limit_bytes: int) -> BadRequestError:
    return BadRequestError(413, f"The upload is larger than {limit_bytes} bytes (COG_MAX_UPLOAD)")
