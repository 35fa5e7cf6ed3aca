"""A form is cut into its parts, however its bytes arrive, and within bounds."""

from __future__ import annotations

import pytest

from cogworks.server.multipart import (
    MAX_PART_HEADER_BYTES,
    MAX_PARTS,
    FormParser,
    PartHead,
    TextBudget,
    TextSink,
)
from cogworks.server.requests import BadRequestError

TYPE = b"multipart/form-data; boundary=xyz"
FORM = (
    b'--xyz\r\nContent-Disposition: form-data; name="a"; filename="\xc3\xa4 b.png"\r\n'
    b"Content-Type: image/png\r\n\r\nline\r\n--xy not yet\r\n\r\n--xyz\r\n"
    b'content-disposition: form-data; name="b"\r\n\r\n\r\n--xyz--\r\n'
)


class Collected:
    """A parser and all that it has found."""

    def __init__(self, limit_bytes: int = 1000, content_type: bytes = TYPE) -> None:
        self.heads: list[PartHead] = []
        self.texts: list[bytes] = []
        self._budget = TextBudget(limit_bytes)
        self.parser = FormParser(content_type, self._open)

    def _open(self, head: PartHead) -> TextSink:
        self.heads.append(head)
        return TextSink(self._budget, self.texts.append)


def part(headers: bytes) -> bytes:
    return b"--xyz\r\n" + headers + b"\r\n\r\nx\r\n"


def refusal(body: bytes, limit_bytes: int = 1000) -> BadRequestError:
    parser = Collected(limit_bytes).parser

    def read() -> None:
        parser.feed(body)
        parser.finish()

    with pytest.raises(BadRequestError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize("step", [1, 2, 3, 7, 10_000])
def test_parts_are_the_same_however_their_bytes_arrive(step: int) -> None:
    collected = Collected()
    for start in range(0, len(FORM), step):
        collected.parser.feed(FORM[start : start + step])
    collected.parser.finish()
    assert collected.heads == [PartHead("a", "ä b.png", "image/png"), PartHead("b", None, "")]
    assert collected.texts == [b"line\r\n--xy not yet\r\n", b""]


@pytest.mark.parametrize("end", range(1, len(FORM) - 4, 9))
def test_a_form_that_ends_early_is_refused(end: int) -> None:
    assert refusal(FORM[:end]).status == 400


def test_more_text_than_the_limit_is_refused() -> None:
    assert refusal(FORM, limit_bytes=10).status == 413


def test_more_parts_than_the_limit_are_refused() -> None:
    one = part(b'Content-Disposition: form-data; name="a"')
    assert refusal(one * (MAX_PARTS + 1), limit_bytes=10_000).status == 413


@pytest.mark.parametrize(
    "headers",
    [
        b"X: y",
        b"Content-Disposition: form-data",
        b'Content-Disposition: attachment; name="a"',
        b"X: " + b"y" * MAX_PART_HEADER_BYTES,
        b"X: " + b"y" * 5000 + b"\r\nZ: " + b"y" * 5000,
        b"\r\n".join(b"X: y" for _ in range(9)),
        b"no colon",
    ],
)
def test_a_part_with_a_bad_head_is_refused(headers: bytes) -> None:
    assert refusal(part(headers)).status == 400


@pytest.mark.parametrize("parameters", [b"", b"; boundary=", b"; boundary=" + b"x" * 300])
def test_a_boundary_that_cannot_be_is_refused(parameters: bytes) -> None:
    with pytest.raises(BadRequestError):
        Collected(content_type=b"multipart/form-data" + parameters)
