"""What the server expects of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cogworks.server.store.records import Record

Key = tuple[float, str]
"""When a prediction was created, and its id: no two have the same, and it never changes."""


class Page(NamedTuple):
    """Some records, the last to end first, and the cursor of those that follow, None at the end."""

    records: Sequence[Record]
    next_cursor: str | None


class Store(Protocol):
    """Keeps a bounded number of predictions; those in flight are never given up.

    Used from one event loop. What is over stays as it is: later versions of it are ignored. Records
    are numbered in the order of their ends.
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

    @property
    def next_number(self) -> int:
        """Return a number above those of all that is over, and above none of what ends later."""
        ...

    async def list(self, limit: int, cursor: str | None) -> Page:
        """Return up to ``limit`` (1 or more) records of what is over, the last to end first.

        Args:
            cursor: of an earlier answer, or a number as text, above those of the page.

        Raises:
            CursorError: ``cursor`` is neither.
            StoreError: the file cannot be read any more.
        """
        ...

    async def list_since(self, number: int, before: Key, limit: int) -> Sequence[Record]:
        """Return what has ended since ``next_number`` was ``number``, the last to be created first.

        Args:
            before: the key that is above those of all that is returned.

        Raises:
            StoreError: the file cannot be read any more.
        """
        ...

    async def close(self) -> None:
        """End; all that was put is then as safe as it can be. What is put later is ignored."""
        ...
