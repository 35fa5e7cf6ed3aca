"""What is kept of a call: which files decided on what it did, and what came of it.

    oci/calls/<key>.json      one for each call; good for a day

It is good for a day because the whole build notes once a day what it uses, and what is not used for long is removed.
Whoever removes something from the cache removes all records.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cogworks.repeat.files import are_unchanged, sha256_of, stamp_of

if TYPE_CHECKING:
    from cogworks.repeat.shape import Record

GOOD_FOR_S = 24 * 3600.0
"""As long as a use of something in the cache needs not be noted again (`engines.lease`)."""


def read_record(path: str) -> Record | None:
    """Return the record of a call, if there is one; whether it still holds, `is_current` tells."""
    try:
        with open(path, "rb") as file:
            found: Record = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return found


def is_current(record: Record) -> bool:
    """Tell whether a record is one of this day, and everything below the code is as it was."""
    age_s = time.time() - record["looked_at"]
    return (
        0 <= age_s < GOOD_FOR_S
        and are_unchanged(record["files"])
        and all(sha256_of(name) == known for name, known in record["documents"].items())
        and stamp_of(record["own_folders"]) == record["own_stamp"]
    )


def write_record(path: str, record: Record) -> None:
    """Keep a record, at once or not at all.

    Raises:
        OSError: it cannot be written.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def is_code_unchanged(record: Record) -> bool:
    """Tell by their status alone whether the code's files, and the layers made of them, are what they were."""
    source = record["source"]
    files = {
        os.path.join(source["directory"], path): known
        for path, (known, _) in source["files"].items()
    }
    return are_unchanged({**files, **source["watched"], **record["top"]}, follow=False)


def documents_of(paths: Iterable[str]) -> dict[str, str]:
    """Return path -> sha256 of small files; nothing stands for one that cannot be read."""
    return {path: sha256_of(path) for path in paths}
