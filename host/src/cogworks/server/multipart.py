"""``multipart/form-data``, cut into parts as it comes; no part of a file is ever kept in memory.

Source: RFC 7578; python-multipart finds the boundaries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from cogworks.server.requests import BadRequestError

MAX_PARTS = 1000
"""Parts of one form, as many as browsers and frameworks allow. Source: Starlette."""

MAX_PART_HEADERS = 8
MAX_PART_HEADER_BYTES = 8 * 1024
"""What may stand before the content of a part; each header has its own share of it."""

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""All the parts together that are no files: they are kept in memory."""

# Each malformed body would be a warning in the server's log; the client is told instead.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


@dataclass(frozen=True)
class PartHead:
    """What is said of a part; ``filename`` is None where it is no file."""

    name: str
    filename: str | None
    media_type: str


class PartSink(Protocol):
    """Takes the content of one part; belongs to whoever reads the form."""

    def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""

    def close(self) -> None:
        """Take note of the end."""


class TextSink:
    """Collects a part that is no file; ``budget`` is shared by all of a form."""

    def __init__(self, budget: TextBudget, on_text: Callable[[bytes], None]) -> None:
        """Tell ``on_text`` the whole text at its end."""
        self._budget = budget
        self._on_text = on_text
        self._parts: list[bytes] = []

    def write(self, data: bytes | memoryview) -> None:
        """Keep a piece.

        Raises:
            BadRequestError: 413, there is too much text.
        """
        self._budget.spend(len(data))
        self._parts.append(bytes(data))

    def close(self) -> None:
        """Hand over the text."""
        self._on_text(b"".join(self._parts))


class TextBudget:
    """How much text a form may still have."""

    def __init__(self, limit_bytes: int = MAX_TEXT_BYTES) -> None:
        """Begin with ``limit_bytes``."""
        self._limit_bytes = self._left_bytes = limit_bytes

    def spend(self, size_bytes: int) -> None:
        """Take some of it.

        Raises:
            BadRequestError: 413, there is none left.
        """
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise BadRequestError(
                413, f"The parts that are no files are larger than {self._limit_bytes} bytes"
            )


class FormParser:
    """Is fed the bytes of a form and hands each part to the sink that ``open_part`` returns."""

    def __init__(self, content_type: bytes, open_part: Callable[[PartHead], PartSink]) -> None:
        """Read the boundary.

        Raises:
            BadRequestError: 400, there is none, or none that can be.
        """
        self._open_part = open_part
        self._sink: PartSink | None = None
        self._headers: dict[str, str] = {}
        self._field = self._value = b""
        self._parts = 0
        self._head_bytes = 0
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise BadRequestError(400, "Content-Type: multipart/form-data has no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_field,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_head,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                },
                max_header_count=MAX_PART_HEADERS,
                max_header_size=MAX_PART_HEADER_BYTES,
            )
        except FormParserError as error:
            raise _malformed(error) from error

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            BadRequestError: 400 for what is no form, or as the sinks say.
            OSError: a file cannot be written.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(error) from error

    def finish(self) -> None:
        """Take note of the end of the body.

        Raises:
            BadRequestError: 400, the form has not come to its end.
        """
        if self._parser.state != MultipartState.END:
            raise BadRequestError(400, "The multipart body ends before its last boundary")

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadRequestError(413, f"The form has more than {MAX_PARTS} parts")
        self._headers = {}
        self._head_bytes = 0

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        name = self._field.decode("latin-1").lower()
        self._headers[name] = self._value.decode("utf-8", "replace")
        self._head_bytes += len(self._field) + len(self._value)
        self._field = self._value = b""
        if self._head_bytes > MAX_PART_HEADER_BYTES:
            raise BadRequestError(
                400, f"The head of a part is larger than {MAX_PART_HEADER_BYTES} bytes"
            )

    def _end_head(self) -> None:
        self._sink = self._open_part(_part_head(self._headers))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._sink is not None:
            self._sink.write(memoryview(data)[start:end])

    def _end_part(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def _part_head(headers: dict[str, str]) -> PartHead:
    # Names are UTF-8; the parser knows bytes as Latin-1 alone.
    as_bytes = headers.get("content-disposition", "").encode("utf-8").decode("latin-1")
    kind, options = parse_options_header(as_bytes)
    name, filename = options.get(b"name"), options.get(b"filename")
    if kind != b"form-data" or not name:
        raise BadRequestError(400, "A part has no Content-Disposition: form-data with a name")
    return PartHead(
        name.decode("utf-8", "replace"),
        None if filename is None else filename.decode("utf-8", "replace"),
        headers.get("content-type", "").partition(";")[0].strip().lower(),
    )


def _malformed(error: FormParserError) -> BadRequestError:
    return BadRequestError(400, f"The multipart body is malformed: {error}")
