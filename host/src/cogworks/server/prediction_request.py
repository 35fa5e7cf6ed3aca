"""What a client asks for, read and checked as far as that needs no model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from cogworks.server.uploads import UploadedFiles

ALL_EVENTS = frozenset({"start", "output", "logs", "completed"})
"""What a webhook can be told of. Source: upstream."""


class PredictionRequest(msgspec.Struct, frozen=True):
    """What a client asks for.

    ``id`` is the client's own, if it chose one; ``is_async`` if it does not wait for the end,
    ``is_streamed`` if it wants the events as they come;
    ``webhook`` is told of ``events``; ``trace`` are the headers of its trace. ``obstacle`` says why no
    other server could run it, such as files that only this one has: ``files`` were uploaded with it,
    and tokens in ``input`` stand for them.
    """

    input: dict[str, Any] = {}  # Each gets an empty one of its own: msgspec copies the default.
    context: dict[str, str] = {}
    id: str | None = None
    is_async: bool = False
    is_streamed: bool = False
    webhook: str | None = None
    events: frozenset[str] = ALL_EVENTS
    obstacle: str | None = None
    trace: Mapping[str, str] = {}
    files: UploadedFiles | None = None

    def digest(self, key: bytes | None = None) -> str:
        """Tell inputs apart without keeping them; files count by name and content.

        With a ``key``, nobody who does not know it can find out what they are by guessing.
        """
        files = self.files
        inputs = self.input if files is None else files.comparable(self.input)
        data = msgspec.json.encode(inputs, order="sorted")
        if key is not None:
            return hashlib.blake2b(data, key=key, digest_size=32).hexdigest()
        return hashlib.sha256(data).hexdigest()
