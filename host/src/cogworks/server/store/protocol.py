"""What the server expects of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cogworks.server.store.records import Record


class Page(NamedTuple):
    """Some records, newest first, and the cursor of those that follow, None at the end."""

    records: Sequence[Record]
    next_cursor: str | None


class Store(Protocol):
    """Keeps a bounded number of predictions; those in flight are never given up.

    Used from one event loop. What is over stays as it is: later versions of it are ignored.
    """

    @property
    def is_durable(self) -> bool:
        """Tell whether it outlives the server, so that work in flight is worth a record too."""
        ...

    async def open(self) -> Sequence[Record]:
        """Make it ready; return what was in flight when the last server ended, oldest first.

        Raises:
            StoreError: it cannot be used.
        """
        ...

    def put(self, record: Record) -> None:
        """Keep ``record`` in place of what is known of its id; returns at once."""
        ...

    async def flush(self, prediction_id: str) -> None:
        """Return when what was put under this id outlives the process, if it ever will."""
        ...

    def forget_webhook(self, prediction_id: str) -> None:
        """Note that the end of a prediction has been told; returns at once."""
        ...

    async def untold(self, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Return the newest of those whose end is to be told, oldest first, within both limits.

        Raises:
            StoreError: the file cannot be read any more.
        """
        ...

    async def find(self, prediction_id: str) -> Record | None:
        """Return what was last put under this id, unless it has been given up since.

        Raises:
            StoreError: the file cannot be read any more.
        """
        ...

    async def list(self, limit: int, cursor: str | None) -> Page:
        """Return up to ``limit`` (1 or more) records, the one that was first put last comes first.

        Raises:
            CursorError: ``cursor`` was not in an earlier answer.
            StoreError: the file cannot be read any more.
        """
        ...

    async def close(self) -> None:
        """End; all that was put is then as safe as it can be. What is put later is ignored."""
        ...
