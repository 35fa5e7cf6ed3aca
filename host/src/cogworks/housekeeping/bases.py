"""Base images in a cache: their documents, and their layers where something was executed on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from cogworks.build.cache import Cache
from cogworks.housekeeping.entry import Entry, Kind
from cogworks.housekeeping.measure import children, measure, modified_at
from cogworks.oci.digest import Digest
from cogworks.oci.errors import OciError
from cogworks.oci.manifest import Manifest, parse_document

_NAME_CHARS = 12


def base_entries(cache: Cache) -> Iterator[Entry]:
    """Yield the bases of a cache, each with its layers that are here."""
    for path in base_documents(cache):
        digest, _, platform = path.stem.partition("-")
        blobs = (cache.blob_path(one) for one in base_layers(path))
        parts = tuple(one for blob in blobs for one in (blob, cache.hashes.entry(blob)))
        yield Entry(
            Kind.BASES,
            digest[:_NAME_CHARS],
            platform.replace("-", "/"),
            path,
            measure([path, *parts]),
            modified_at(path) or 0.0,
            parts=parts,
        )


def base_documents(cache: Cache) -> Iterator[Path]:
    """Yield the files that hold manifest and configuration of a base."""
    yield from (one for one in children(cache.root / "bases") if one.suffix == ".json")


def base_layers(path: Path) -> tuple[Digest, ...]:
    """Return the layers that the manifest in such a file names; none of a damaged one."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OciError):
        entry = cast("dict[str, str]", json.loads(path.read_bytes()))
        # As it is written: one character a byte.
        manifest = parse_document(entry["manifest"].encode("latin-1"))
        if isinstance(manifest, Manifest):
            return tuple(one.digest for one in manifest.layers)
    return ()
