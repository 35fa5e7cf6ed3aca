"""What is noted of an image that was made again: which one a name stands for, and which blobs a repository has."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cogworks.repeat.shape import NameRecord, Record, TargetRecord


def named_digest(name: NameRecord) -> str:
    """Return which image a name stands for; nothing if that is not known."""
    try:
        with open(name["path"], "rb") as file:
            return str(json.loads(file.read())["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def keep_name(record: Record, manifest: Mapping[str, Any], digest: str, cache_dir: str) -> None:
    """Let the name of a call stand for an image from now on."""
    from pathlib import Path

    from cogworks.build.cache import Cache
    from cogworks.build.image_store import ImageStore, StoredImage
    from cogworks.oci.digest import parse_digest

    name, image = record["name"], record["image"]
    own = manifest["layers"][image["base_layer_count"] :]
    stored = StoredImage(
        name["name"],
        name["platform"],
        parse_digest(digest),
        image["base_name"],
        tuple(parse_digest(one["digest"]) for one in own),
    )
    ImageStore(Cache(Path(cache_dir))).write(Path(name["path"]), stored)


def known_blobs(target: TargetRecord) -> frozenset[str]:
    """Return the digests of what a repository had when it was last pushed to."""
    try:
        with open(target["seen"], "rb") as file:
            noted: Mapping[str, Sequence[str]] = json.loads(file.read())["blobs"]
        return frozenset(
            f"sha256:{digest}" for digest, names in noted.items() if target["repository"] in names
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def note_blobs(target: TargetRecord, digests: Sequence[str], cache_dir: str) -> None:
    """Note that a repository has some blobs."""
    from pathlib import Path

    from cogworks.build.cache import Cache
    from cogworks.build.mount_sources import MountSources
    from cogworks.oci.reference import Repository

    repository = Repository(target["registry"], target["repository"])
    hexes = [one.removeprefix("sha256:") for one in digests]
    MountSources(Cache(Path(cache_dir))).note(repository, hexes, {})


def are_missing(programs: Sequence[str], search_path: str) -> bool:
    """Tell whether none of some programs is installed."""
    folders = search_path.split(os.pathsep)
    return not any(
        os.path.exists(os.path.join(folder, name)) for name in programs for folder in folders
    )
