from __future__ import annotations

import pytest

from cogworks.server.media import extension_for, media_type_of


def test_a_known_extension_decides() -> None:
    assert media_type_of("a/photo.JPG", b"whatever") == "image/jpeg"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"plain words", "text/plain"),
        ("ü".encode() * 300 + b"\xc3", "text/plain"),
        (b"", "application/octet-stream"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xfe\xfe\xfe", "application/octet-stream"),
    ],
)
def test_without_one_the_first_bytes_do(head: bytes, expected: str) -> None:
    assert media_type_of("-", head) == expected


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("image/png", ".png"),
        ("image/jpeg", ".jpg"),
        ("text/plain; charset=utf-8", ".txt"),
        ("audio/x-wav", ".wav"),
        ("Video/MP4", ".mp4"),
        ("application/x-something", ".bin"),
        ("", ".bin"),
    ],
)
def test_a_media_type_has_one_extension(media_type: str, expected: str) -> None:
    assert extension_for(media_type) == expected
