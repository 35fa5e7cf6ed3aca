"""Marks that say nothing, and which engines disagree about.

Docker marks every new folder as one that hides what lower layers have in it; and what one command made and a later one
removed is marked as gone. Where no lower layer has such a path, that says nothing. Without such marks, engines agree on the
bytes of a layer.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from pathlib import Path

from cogworks.build.errors import StageError
from cogworks.build.stages.below import LocalLayer
from cogworks.build.stages.diff import Diff, parents
from cogworks.build.stages.unpacked import UNPACK_ERRORS, opened


def drop_needless_marks(diff: Diff, layers: Iterable[LocalLayer]) -> None:
    """Take away the marks of paths that no lower layer has.

    Raises:
        StageError: a layer cannot be read.
    """
    marked = diff.opaque | diff.removed
    needed: set[str] = set()
    for one in layers:
        if needed == marked:
            return
        needed |= marked & paths_of(one.path)
    diff.opaque &= needed
    diff.removed &= needed


def paths_of(path: Path) -> frozenset[str]:
    """Return the paths in a layer, those included that only longer ones name.

    Raises:
        StageError: it cannot be read.
    """
    found: set[str] = set()
    try:
        with opened(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                name = info.name.removeprefix("./").strip("/")
                found.add(name)
                if (parent := name.rpartition("/")[0]) not in found:
                    found.update((parent, *parents(parent)))
    except (tarfile.TarError, *UNPACK_ERRORS) as error:
        raise StageError(f"A layer of the base cannot be read: {error}") from error
    return frozenset(found)
