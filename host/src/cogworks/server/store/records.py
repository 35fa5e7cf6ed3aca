"""What is kept of one prediction."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """A prediction as it was at one moment; times in seconds since the epoch.

    ``body`` is the JSON that clients see, ``digest`` tells the inputs of two requests apart (None
    where ``body`` does), ``request`` is the JSON that is needed to run it again, None once
    it is over. ``webhook`` is the JSON of where its end is to be told: there when it is over, until
    that has been done. It holds nothing that could lead back to it, so the garbage collector may pass
    it by.
    """

    id: str
    status: str
    created_at: float
    completed_at: float | None
    body: bytes
    digest: str | None = None
    request: bytes | None = None
    webhook: bytes | None = None

    @property
    def is_finished(self) -> bool:
        """Tell whether the prediction is over."""
        return self.completed_at is not None

    @property
    def key(self) -> tuple[float, str]:
        """Return what predictions are sorted by: when it was created, and its id."""
        return (self.created_at, self.id)

    @property
    def size_bytes(self) -> int:
        """Return what it weighs, near enough for a limit."""
        return len(self.body) + len(self.request or b"") + len(self.webhook or b"")
