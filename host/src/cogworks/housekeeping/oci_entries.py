"""Entries of the builder of images, all below `oci`: layers, wheels, base images, locks, and what is left of builds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from cogworks.build.cache import Cache, KnownLayer
from cogworks.build.standalone import NEW
from cogworks.engines.lease import Claims, is_locked
from cogworks.housekeeping.bases import base_entries
from cogworks.housekeeping.entry import Entry, Kind
from cogworks.housekeeping.measure import children, measure, modified_at

OLD_AFTER_S = 24 * 3600.0
"""What has no owner and is younger may be of a build that could not say that it uses it."""
FORGOTTEN_AFTER_S = 30 * 24 * 3600.0
"""The digest of a file, or the size of a wheel, that nobody asked for so long; the file may be gone."""
_NAME_CHARS = 12
CALLS = "calls"
"""Records of calls (`cogworks.repeat`), which are good for a day."""


def oci_entries(cache_dir: Path, claims: Claims) -> Iterator[Entry]:
    """Yield what the builder has in a cache."""
    cache = Cache(cache_dir)
    known = known_layers(cache)
    yield from _layers(cache, known)
    yield from _wheels(cache)
    yield from _bytecode(cache)
    yield from _pythons(cache)
    bases = tuple(base_entries(cache))
    yield from bases
    yield from _locks(cache)
    yield from _images(cache)
    for path in children(cache.root / "seen"):
        yield _entry(Kind.REGISTRIES, path, path.stem.replace("_", ":"))
    yield from _unfinished(cache_dir, cache, claims)
    yield from _orphans(cache, known, bases)


def known_layers(cache: Cache) -> Mapping[Path, KnownLayer]:
    """Return the layers that the files of keys tell of; those whose blobs are gone included."""
    found = ((path, cache.read_key(path)) for path in children(cache.root / "keys"))
    return {path: layer for path, layer in found if layer is not None}


def forgotten_notes(cache_dir: Path) -> Iterator[Path]:
    """Yield small files that nobody needs any more: locks of what was made, records of calls, what is known of files that are gone."""
    root = cache_dir / "oci"
    for path in children(root / "locks"):
        if _is_older(path, OLD_AFTER_S) and not is_locked(path):
            yield path
    for path in children(root / "wheels" / "names"):
        wheel = root / "wheels" / "sha256" / path.name
        if _is_older(path, FORGOTTEN_AFTER_S) and not wheel.exists():
            yield path
    for path in children(root / CALLS):
        if _is_older(path, OLD_AFTER_S):
            yield path
    for path in children(root / "filehash"):
        is_unfinished = path.suffix == ".tmp" and _is_older(path, OLD_AFTER_S)
        if is_unfinished or _is_older(path, FORGOTTEN_AFTER_S):
            yield path
    for path in children(root / "built"):
        if _is_older(path, FORGOTTEN_AFTER_S):
            yield path


def _layers(cache: Cache, known: Mapping[Path, KnownLayer]) -> Iterator[Entry]:
    for path, layer in known.items():
        blobs = tuple(cache.blob_path(digest) for digest in layer.blobs)
        made_at = max((at for blob in blobs if (at := modified_at(blob)) is not None), default=None)
        if made_at is None:
            yield _leftover(path, "the key of a layer that is gone")
            continue
        parts = (*blobs, *(cache.hashes.entry(blob) for blob in blobs))
        size = measure([path, *parts])
        used_at = modified_at(path) or made_at
        name = path.stem[:_NAME_CHARS]
        yield Entry(Kind.LAYERS, name, layer.title, path, size, used_at, made_at, parts)


def _wheels(cache: Cache) -> Iterator[Entry]:
    for path in children(cache.root / "wheels" / "sha256"):
        note = cache.root / "wheels" / "names" / path.name
        detail = ""
        with suppress(OSError):
            detail = note.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        parts = (note, cache.hashes.entry(path))
        made_at = modified_at(path)
        used_at = modified_at(note) or made_at or 0.0
        name = path.name[:_NAME_CHARS]
        size = measure([path, *parts])
        yield Entry(Kind.WHEELS, name, detail, path, size, used_at, made_at, parts)
    for path in children(cache.root / "own"):
        names = ", ".join(one.name for one in children(path))
        yield _entry(Kind.WHEELS, path, names, *children(path)[:1])


def _bytecode(cache: Cache) -> Iterator[Entry]:
    """Yield compiled modules; the note beside them tells the last use."""
    for path in children(cache.root / "bytecode"):
        if path.suffix == ".json":
            if not path.with_suffix("").exists():
                yield _leftover(path, "a note of modules that are gone")
            continue
        note = path.with_suffix(".json")
        entry = _entry(Kind.BYTECODE, path, "", note)
        yield replace(entry, size=measure([path, note]), parts=(note, cache.hashes.entry(path)))


def _pythons(cache: Cache) -> Iterator[Entry]:
    """Yield the Pythons that images bring along; which one stands for a version is noted beside them."""
    found = children(cache.root / "interpreters")
    notes = [path for path in found if path.suffix == ".json"]
    for path in found:
        if path in notes or path.name.startswith(NEW):
            continue
        own = tuple(note for note in notes if _texts(note).get("folder") == path.name)
        used_at = max((at for note in own if (at := modified_at(note))), default=None)
        entry = replace(_entry(Kind.PYTHONS, path, path.name), name=path.name[-_NAME_CHARS:])
        yield replace(entry, parts=own, used_at=used_at or entry.used_at)


def _locks(cache: Cache) -> Iterator[Entry]:
    for path in children(cache.root / "locks-of-projects"):
        yield _entry(Kind.LOCKS, path, "of an image", path / "pylock.toml")
    for path in children(cache.root / "bases" / "tags"):
        detail = _texts(path).get("reference", "")
        yield _entry(Kind.LOCKS, path, f"what {detail} stands for")


def _images(cache: Cache) -> Iterator[Entry]:
    for path in children(cache.root / "images"):
        noted = _texts(path)
        detail = f"{noted.get('name', '')} {noted.get('platform', '')}"
        digest = noted.get("digest", path.stem).removeprefix("sha256:")[:_NAME_CHARS]
        yield replace(_entry(Kind.IMAGES, path, detail), name=digest)


def _texts(path: Path) -> Mapping[str, str]:
    """Return the texts of a small file of ours; none of a damaged one."""
    with suppress(OSError, ValueError, AttributeError):
        items = cast("dict[str, object]", json.loads(path.read_bytes())).items()
        return {name: value for name, value in items if isinstance(value, str)}
    return {}


def _unfinished(cache_dir: Path, cache: Cache, claims: Claims) -> Iterator[Entry]:
    """Yield files that were begun by builds that do not run any more."""
    for path in children(cache.root / "tmp"):
        owner = path.name.rpartition("-")[0]
        if owner not in claims.names and not claims.cover(path, cache_dir):
            yield _leftover(path, "leftover of a build")
    for path in children(cache.root / "interpreters"):
        owner = path.name.removeprefix(NEW).rpartition("-")[0]
        if path.name.startswith(NEW) and owner not in claims.names:
            yield _leftover(path, "leftover of a build")
    for path in children(cache_dir / TRASH):
        if path.name not in claims.names:
            yield _leftover(path, "removed, but not quite")


def _orphans(
    cache: Cache, known: Mapping[Path, KnownLayer], bases: Iterable[Entry]
) -> Iterator[Entry]:
    """Yield blobs that no key and no base tells of, and keys that nobody can read."""
    wanted = {cache.blob_path(digest) for layer in known.values() for digest in layer.blobs}
    wanted |= {part for base in bases for part in base.parts}
    for path in children(cache.root / "blobs" / "sha256"):
        if path not in wanted and _is_older(path, OLD_AFTER_S):
            yield _leftover(path, "a blob that belongs to nothing")
    for path in children(cache.root / "keys"):
        if path not in known:
            yield _leftover(path, "a key that cannot be read")


TRASH = "trash"
"""Where in the cache's folder things are moved that are about to be deleted, in a folder for each lease."""


def _is_older(path: Path, age_s: float) -> bool:
    changed_at = modified_at(path)
    return changed_at is not None and time.time() - changed_at > age_s


def _entry(kind: Kind, path: Path, detail: str, *used: Path) -> Entry:
    """Return the entry of a folder: its own time tells when it was made, that of the file in it the last use."""
    made_at = modified_at(path)
    used_at = next((at for one in used if (at := modified_at(one))), made_at) or 0.0
    name = path.name[:_NAME_CHARS]
    return Entry(kind, name, detail, path, measure([path]), used_at, made_at)


def _leftover(path: Path, detail: str) -> Entry:
    changed_at = modified_at(path)
    size = measure([path])
    return Entry(Kind.LEFTOVERS, path.name, detail, path, size, changed_at or 0.0, changed_at)
