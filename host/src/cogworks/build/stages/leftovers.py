"""What a build that was killed has left: images and a container in its engine, and the folder that it worked in.

The folder's name is in that of the image, and a file in it says which engine has it. The next build that uses this engine finds
folders of builds that live no more, and removes both.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.build.stages.engine import PREFIX, Engine
from cogworks.engines.lease import claims_held

_NOTE = "engine"


def note_engine(folder: Path, engine: Engine) -> str:
    """Note that a folder of the cache is worked in with an engine; return the name for the image."""
    (folder / _NOTE).write_text(engine.name, encoding="utf-8")
    return _image_of(folder)


def remove_leftovers(cache: Cache, engine: Engine) -> None:
    """Remove what builds have left that were killed while they used this engine."""
    # Asked for all at once: meanwhile nobody else can claim anything.
    for folder in list(_abandoned(cache, engine.name)):
        engine.remove(_image_of(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned(cache: Cache, engine: str) -> Iterator[Path]:
    with suppress(OSError), claims_held(cache.root.parent) as claims:
        for note in (cache.root / "tmp").glob(f"*/{_NOTE}"):
            # Unfinished things are named after the lease of who makes them.
            lease = note.parent.name.rpartition("-")[0]
            if lease not in claims.names and note.read_text(encoding="utf-8") == engine:
                yield note.parent


def _image_of(folder: Path) -> str:
    return f"{PREFIX}{folder.name}"
