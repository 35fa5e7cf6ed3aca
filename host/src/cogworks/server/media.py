"""Media types of files: from a name, from the first bytes, and back to an extension.

The tables are our own because `mimetypes` reads files of the machine, and the same photo must
get the same type everywhere. What they do not know is looked up in what Python and puremagic
carry with them.
"""

from __future__ import annotations

import codecs
import mimetypes
from pathlib import Path, PurePath
from typing import Any

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 4096
"""How much of a file is looked at; every signature below is within it."""

LEAST_CONFIDENCE = 0.4
"""A signature of four bytes. Shorter ones are found in any data. Source: puremagic, a tenth a byte."""

EXTENSIONS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".tiff": "image/tiff",
    ".tif": "image/tiff",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".tar": "application/x-tar",
    ".glb": "model/gltf-binary",
    ".obj": "model/obj",
    ".stl": "model/stl",
    ".ply": "model/ply",
}
ALIASES = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "application/x-zip-compressed": "application/zip",
    "application/x-gzip": "application/gzip",
    "application/x-yaml": "application/yaml",
    "text/yaml": "application/yaml",
    "text/xml": "application/xml",
    "image/x-ms-bmp": "image/bmp",
}
_PYTHONS = mimetypes.MimeTypes(filenames=()).types_map[1]
"""Extensions that Python knows by itself, without the files of the machine."""

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (257, b"ustar", "application/x-tar"),
    (0, b"glTF", "model/gltf-binary"),
)


def media_type_of(name: str, head: bytes) -> str:
    """Return the type of a file: by its extension if that is known, else by its first bytes."""
    suffix = PurePath(name).suffix.lower()
    by_name = EXTENSIONS.get(suffix) or _PYTHONS.get(suffix)
    return by_name or _sniff(head[:HEAD_BYTES])


def media_type_of_file(path: Path, name: str) -> str:
    """Return the type of a file that is called ``name`` elsewhere; blocks while it reads.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return media_type_of(name, file.read(HEAD_BYTES))


def extension_for(media_type: str) -> str:
    """Return the extension, dot included, for a media type; `.bin` for one that is not known."""
    plain = media_type.partition(";")[0].strip().lower()
    plain = ALIASES.get(plain, plain)
    return next((ext for ext, known in EXTENSIONS.items() if known == plain), ".bin")


def _sniff(head: bytes) -> str:
    for offset, signature, media_type in SIGNATURES:
        if head.startswith(signature, offset):
            return media_type
    if _is_text(head):
        return "text/plain"
    return _look_up(head) if head else UNKNOWN


def _look_up(head: bytes) -> str:
    import puremagic  # Thousands of signatures: read when a first file is not of the common kinds.

    try:
        matches: list[Any] = puremagic.magic_string(head)  # pyright: ignore[reportUnknownMemberType] - untyped
    except (puremagic.PureError, ValueError):  # Nothing matches.
        return UNKNOWN
    for match in matches:  # The likeliest first.
        if match.mime_type and match.confidence >= LEAST_CONFIDENCE:
            return str(match.mime_type)
    return UNKNOWN


def _is_text(head: bytes) -> bool:
    if not head or b"\x00" in head:
        return False
    try:
        # Incremental: the last character may be cut in the middle.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
