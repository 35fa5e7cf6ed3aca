"""What is kept of one prediction."""

from __future__ import annotations

import msgspec

from cogworks.server.predictions import iso_time


class Record(msgspec.Struct, frozen=True, gc=False):
    """A prediction as it was at one moment; times in seconds since the epoch.

    ``body`` is the JSON that clients see, ``digest`` tells the inputs of two requests apart (None
    where the client chose no id), ``request`` is the JSON that is needed to run it again, None once
    it is over. It holds nothing that could lead back to it, so the garbage collector may pass it by.
    """

    id: str
    status: str
    created_at: float
    completed_at: float | None
    body: bytes
    digest: str | None = None
    request: bytes | None = None

    @property
    def is_finished(self) -> bool:
        """Tell whether the prediction is over."""
        return self.completed_at is not None

    def lost(self, at: float) -> Record:
        """Return how it ends if the server that was working on it is gone."""
        snapshot = {
            **msgspec.json.decode(self.body),
            "status": "failed",
            "completed_at": iso_time(at),
            "error": "the server ended while it worked on this prediction",
        }
        return Record(
            id=self.id,
            status="failed",
            created_at=self.created_at,
            completed_at=at,
            body=msgspec.json.encode(snapshot),
            digest=self.digest,
        )

    @property
    def size_bytes(self) -> int:
        """Return what it weighs, near enough for a limit."""
        return len(self.body) + len(self.request or b"")
