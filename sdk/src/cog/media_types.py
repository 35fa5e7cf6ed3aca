"""File names to media types and back, as ``mimetypes`` knows them, with ``.webp`` in every Python."""

from __future__ import annotations

import mimetypes
import sys
from typing import Optional

DEFAULT_MEDIA_TYPE = "application/octet-stream"

_WEBP_BUILT_IN = (3, 13)


def guess_media_type(name: str) -> str:
    """Return the media type that a file's name says, without parameters."""
    return mimetypes.guess_type(name)[0] or DEFAULT_MEDIA_TYPE


def guess_extension(media_type: str) -> str:
    """Return the extension for a media type, with its dot; empty if there is none."""
    essence = media_type.partition(";")[0].strip().lower()
    found: Optional[str] = mimetypes.guess_extension(essence)
    return found or ""


def _know_webp() -> None:
    """Add ``.webp``, for models ask ``mimetypes`` about the files they write."""
    if mimetypes.inited:
        mimetypes.add_type("image/webp", ".webp")
    else:  # add_type would read the system's tables, which takes milliseconds
        mimetypes.types_map[".webp"] = "image/webp"


if sys.version_info < _WEBP_BUILT_IN:
    _know_webp()
