"""Pages of the list of predictions.

Those in flight come first, the newest at the top; then those that are over, the last to end at the top.
Which of the two a prediction is listed among depends on what it was when the first page was asked for,
even if it has ended since: so it keeps its place while a client goes from page to page, and is seen
neither twice nor never. What it is shown as is how it is now. Cursors hold all that is needed for
that; the server remembers nothing.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from cogworks.server.run import Run
from cogworks.server.store import Store

PLACE = r"[0-9]{1,18}\.[0-9a-f]{16}\.[A-Za-z0-9._~-]{1,200}"
"""A cursor among those in flight; one among those that are over is the store's: a number alone."""

CURSOR = rf"^[0-9]{{1,18}}$|^{PLACE}$"
"""All cursors there are, as the document tells clients."""

_DOUBLE = struct.Struct(">d")


class Place(NamedTuple):
    """Where a page of those in flight begins: below this key.

    ``number`` was the store's ``next_number`` when the first page was asked for.
    """

    number: int
    created_at: float
    id: str

    @classmethod
    def parse(cls, cursor: str) -> Place | None:
        """Return the place of a cursor; None if that is another's."""
        if re.fullmatch(PLACE, cursor) is None:
            return None
        number, created_at, prediction_id = cursor.split(".", 2)
        return cls(int(number), _DOUBLE.unpack(bytes.fromhex(created_at))[0], prediction_id)

    def __str__(self) -> str:
        """Return the cursor: the time to the last bit, so that nothing else is at this place."""
        return f"{self.number}.{_DOUBLE.pack(self.created_at).hex()}.{self.id}"


async def list_page(
    runs: Iterable[Run], store: Store, limit: int, cursor: str | None
) -> tuple[list[bytes], str | None]:
    """Return up to ``limit`` predictions in JSON, and where the next page begins.

    Args:
        runs: all that are in flight; a run leaves them the moment that its record is put.

    Raises:
        CursorError: the cursor is none of ours.
        StoreError: the file cannot be read any more.
    """
    place = Place(store.next_number, math.inf, "") if cursor is None else Place.parse(cursor)
    if place is None:
        records, following = await store.list(limit, cursor)
        return [record.body for record in records], following
    found = await _in_flight(runs, store, place, limit + 1)
    bodies = [body for _, body in found[:limit]]
    if len(found) > limit:
        return bodies, str(Place(place.number, *found[limit - 1][0]))
    room = limit - len(bodies)
    records, following = await store.list(max(room, 1), str(place.number))
    if not room:
        return bodies, str(place.number) if records else None
    return [*bodies, *(record.body for record in records)], following


async def _in_flight(
    runs: Iterable[Run], store: Store, place: Place, limit: int
) -> list[tuple[tuple[float, str], bytes]]:
    """Return what was in flight at the first page, with its keys, downwards from the place."""
    before = (place.created_at, place.id)
    below = sorted(((_key(run), run) for run in runs if _key(run) < before), reverse=True)
    found = {key: run.body() for key, run in below[:limit]}
    if store.next_number > place.number:
        for record in await store.list_since(place.number, before, limit):
            found[record.key] = record.body
    return sorted(found.items(), reverse=True)[:limit]


def _key(run: Run) -> tuple[float, str]:
    """Return what a run is sorted by, as its record will be."""
    return (run.prediction.created_at, run.id)
