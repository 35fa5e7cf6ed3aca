"""The image of a call whose code has changed: two layers are made, all others are those of the record."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.code_layer import SCHEMA_NAME, code_layer, hash_files, metadata_layer
from cogworks.build.context import Context, read_context
from cogworks.build.excluded_modules import excluded_modules
from cogworks.oci.layer import Codec
from cogworks.repeat.files import Identity, file_clock, identities, identity_of, is_settled
from cogworks.repeat.image import with_layers

if TYPE_CHECKING:
    from cogworks.repeat.analysis import Analysis
    from cogworks.repeat.plain_push import Ahead
    from cogworks.repeat.shape import Record, SourceRecord

UNSETTLED: Identity = []
"""Of what may change again without being seen to: it is looked at the next time, whatever it is then."""


@dataclass(frozen=True)
class Again:
    """An image that was made again: its record, its two layers, and what has begun to send them."""

    record: Record
    layers: tuple[CachedLayer, ...]
    ahead: Ahead | None = None

    @property
    def new_bytes(self) -> int:
        """How much of it was packed now."""
        return sum(one.layer.size_bytes for one in self.layers if one.is_new)


def make_again(
    record: Record,
    cache_dir: str,
    revision: Mapping[str, str],
    analysis: Analysis,
    ahead: Ahead | None = None,
) -> Again | None:
    """Return the image with the code as it is now; None if more than the code has changed.

    Args:
        revision: labels of the commit and the version.
        ahead: sends the code as soon as it is packed; the analysis mostly takes longer.

    Raises:
        CogworksError: the source, or a file, is not as it has to be.
    """
    source, image = record["source"], record["image"]
    directory, began_at = Path(source["directory"]), file_clock()
    context = read_context(
        directory, source["weight_patterns"], separate_weights=source["separate_weights"]
    )
    is_more = [one.path for one in context.weights] != source["weights"]
    if is_more or list(context.warnings) != source["warnings"]:
        return None
    found = {one.path: _identity(directory, one.path, began_at) for one in context.code}
    hashes = _hashes(source, context, found)
    watched = _watched(context, began_at)
    cache, codec, document = Cache(Path(cache_dir)), Codec[image["codec"]], image["document"]
    code = code_layer(cache, context, codec, hashes)
    if ahead is not None:
        ahead.send(code)
    if _may_change_schema(source, hashes, watched):
        document, modules = analysis.answer()
        # What the image does not have, and was not watched so far, may change the schema unseen.
        if not record["files"].keys() >= set(excluded_modules(modules, hashes)):
            return None
    metadata = {SCHEMA_NAME: document.encode()} if document else {}
    layers = (code, metadata_layer(cache, metadata, codec))
    files: dict[str, tuple[Identity | None, str]] = {
        path: (found[path], hashes[path]) for path in found
    }
    changed: SourceRecord = {
        **source,
        "files": files,
        "watched": watched,
        "revision": dict(revision),
    }
    whole = with_layers(image, [one.layer for one in layers], document, revision)
    top = identities(str(one.path) for one in layers)
    return Again({**record, "top": top, "source": changed, "image": whole}, layers, ahead)


def _identity(directory: Path, path: str, began_at: float) -> Identity:
    """Return what a file or a folder was before it is read."""
    known = identity_of(os.path.join(directory, path), follow=False)
    if known is None:
        return UNSETTLED
    return known if is_settled(known, began_at) else UNSETTLED


def _hashes(
    source: SourceRecord, context: Context, found: Mapping[str, Identity]
) -> dict[str, str]:
    """Return the digest of each file; those that are what they were are not read."""
    known = {
        path: sha256
        for path, (identity, sha256) in source["files"].items()
        if identity and identity == found.get(path)
    }
    return {
        **{path: known[path] for path in found if path in known},
        **hash_files(context, [one for one in context.code if one.path not in known]),
    }


def _watched(context: Context, began_at: float) -> dict[str, Identity | None]:
    """Return what tells of files that come, go or lead elsewhere: folders and links."""
    names = ["", *context.folders, *(path for path, _ in context.links)]
    directory = context.directory
    return {
        os.path.join(directory, name) if name else str(directory): _identity(
            directory, name, began_at
        )
        for name in names
    }


def _may_change_schema(
    source: SourceRecord, hashes: Mapping[str, str], watched: Iterable[str]
) -> bool:
    """Tell whether the source may describe another model: another module, or one that is somewhere else."""
    before = {path: sha256 for path, (_, sha256) in source["files"].items()}
    return set(watched) != set(source["watched"]) or _modules(before) != _modules(hashes)


def _modules(hashes: Mapping[str, str]) -> dict[str, str]:
    return {path: sha256 for path, sha256 in hashes.items() if path.endswith(".py")}
