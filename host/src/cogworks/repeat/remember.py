"""Keep a record of a call that was just made the long way, so that the next one like it can be made the short way."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.build.base_image import base_path
from cogworks.build.base_tags import BaseTags
from cogworks.build.code_layer import hash_files
from cogworks.build.context import Context, read_context
from cogworks.build.excluded_modules import excluded_modules, imported_modules
from cogworks.build.image_store import ImageStore
from cogworks.build.resolve import LOCK_NAME
from cogworks.engines.pip_settings import pip_files
from cogworks.oci.documents import canonical_json
from cogworks.oci.reference import Reference
from cogworks.project.files import DiskFiles
from cogworks.project.requirements import parse_requirements
from cogworks.repeat.daemon import docker_settings
from cogworks.repeat.files import Identity, identities, stamp_of
from cogworks.repeat.image import with_layers
from cogworks.repeat.record import documents_of, write_record

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage, How
    from cogworks.build.cache import Cache
    from cogworks.project.model import Project
    from cogworks.repeat.shape import (
        ImageRecord,
        LoadedRecord,
        Record,
        SourceRecord,
        TargetRecord,
    )

OWN_PACKAGES = ("cogworks", "cog")
TOP_COUNT = 2
"""The layers that are made again: the code and the metadata."""
FILES_MAX, BYTES_MAX = 20_000, 256 * 1024 * 1024
"""To look at more than this takes longer than it spares."""
_FOLDERS = re.compile(rb"\b(?:path|workspace)\s*=|tool\.uv\.workspace|file:")


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was made, and what came of it.

    Attributes:
        path: where its record goes.
        began_at: when it began; what has changed since then may have been read before or after that.
        directory: the current one.
        asked_base: the base as it was asked for.
        base_shown: the base as people read it.
        rows: what else was said of the image.
        programs: those that must not be installed, or more would have to be done.
        warnings: what was said before the build.
    """

    path: str
    began_at: float
    directory: Path
    environ: Mapping[str, str]
    cache: Cache
    project: Project
    how: How
    asked_base: Reference
    base_shown: str
    name: Reference
    image: BuiltImage
    warnings: Sequence[str]
    rows: Sequence[tuple[str, str]] = ()
    programs: Sequence[str] = ()
    target: TargetRecord | None = None
    loaded: LoadedRecord | None = None


def remember(done: Done) -> None:
    """Keep a record of a call, unless something has changed meanwhile or would not come to the same image."""
    if takes_folders(done.project):
        return
    context = read_context(
        done.project.directory,
        done.how.weight_patterns,
        separate_weights=done.how.separate_weights,
    )
    sizes = [one.size_bytes for one in context.code]
    if len(sizes) > FILES_MAX or sum(sizes) > BYTES_MAX:
        return
    image, source = _image(done), _source(done, context)
    modules = imported_modules(source["directory"], (source["run"], source["train"]))
    excluded = excluded_modules(modules, source["files"])
    files = identities([*_deciding_files(done, context), *excluded])
    looked_at = [*files.values(), *(one for one, _ in source["files"].values())]
    is_settled = all(
        _is_before(one, done.began_at) for one in (*looked_at, *source["watched"].values())
    )
    layers = [one.cached.layer for one in done.image.layers[-TOP_COUNT:]]
    again = with_layers(image, layers, image["document"], source["revision"])
    if not is_settled or again != image:
        return
    own = [str(folder) for name in OWN_PACKAGES for folder in _folders_of(name)]
    platform = done.image.config.platform
    record: Record = {
        "looked_at": time.time(),
        "files": {
            **files,
            **identities(str(one.cached.path) for one in done.image.layers[:-TOP_COUNT]),
        },
        "documents": documents_of([str(path) for path in _documents(done)]),
        "top": identities(str(one.cached.path) for one in done.image.layers[-TOP_COUNT:]),
        "own_folders": own,
        "own_stamp": stamp_of(own),
        "source": source,
        "image": image,
        "name": {
            "name": done.name.familiar,
            "path": str(ImageStore(done.cache).path(done.name, platform)),
            "platform": str(platform),
        },
        "target": done.target,
        "loaded": done.loaded,
        "rows": list(done.rows),
        "warnings": [*done.warnings, *_notices(done)],
        "programs": list(done.programs),
    }
    # What could not be kept is made the long way again.
    with suppress(OSError):
        write_record(done.path, record)


def takes_folders(project: Project) -> bool:
    """Tell whether packages may be made of folders, whose files are then more than code; a comment may seem to say so."""
    source = project.build.requirements_file
    if source is None or source.suffix != ".toml":
        return False
    with suppress(OSError):
        return _FOLDERS.search(source.read_bytes()) is not None
    return True


def _notices(done: Done) -> list[str]:
    return [one for one in done.image.notices if one not in done.image.passing_notices]


def _image(done: Done) -> ImageRecord:
    image, base = done.image, done.image.base
    document = canonical_json(done.how.document).decode() if done.how.document else ""
    (artifact,) = image.artifacts
    return {
        "config": image.config.to_bytes().decode(),
        "manifest": image.manifest.to_bytes().decode(),
        "document": document,
        "sbom": image.sbom.decode(),
        "artifact": artifact.manifest.to_bytes().decode(),
        "base": str(base.digest),
        "base_name": str(base.reference),
        "base_labels": dict(base.image.config.run.labels),
        "base_shown": done.base_shown,
        "base_layer_count": len(base.image.manifest.layers),
        "codec": done.how.codec.name,
    }


def _source(done: Done, context: Context) -> SourceRecord:
    project, directory = done.project, done.project.directory
    names = [one.path for one in context.code]
    found = identities((os.path.join(directory, name) for name in names), follow=False)
    hashes = hash_files(context, context.code)
    watched = [*context.folders, *(path for path, _ in context.links)]
    paths = [str(directory), *(os.path.join(directory, name) for name in watched)]
    return {
        "directory": str(directory),
        "run": project.run,
        "train": project.train,
        "concurrency_max": project.concurrency_max,
        "weight_patterns": list(done.how.weight_patterns),
        "separate_weights": done.how.separate_weights,
        "files": {name: (found[os.path.join(directory, name)], hashes[name]) for name in names},
        "weights": [one.path for one in context.weights],
        "watched": identities(paths, follow=False),
        "warnings": list(context.warnings),
        "revision": dict(done.how.revision),
    }


def _deciding_files(done: Done, context: Context) -> Iterator[str]:
    """Yield the files that decide on everything but the code, whether they are there or not."""
    project = done.project
    yield from (str(context.directory / one.path) for one in context.weights)
    config, directory = project.config_path, project.directory
    # One that is nearer would be another project.
    for folder in (done.directory, *done.directory.parents):
        yield str(folder / config.name)
        if folder == directory:
            break
    beside = [
        directory / name for name in (".dockerignore", LOCK_NAME, "uv.toml", "pyproject.toml")
    ]
    yield from map(str, (*beside, *_requirement_files(project), done.how.server_packages))
    yield from map(str, pip_files(done.environ))
    if done.loaded is not None:
        yield docker_settings(done.environ)
    for python in _compiling_pythons(done.cache):
        yield str(python)


def _requirement_files(project: Project) -> Iterator[Path]:
    """Yield what a project's requirements are read from, included files and wheels too."""
    source = project.build.requirements_file
    if source is None:
        return
    if source.suffix == ".toml":
        yield from (source, source.with_name("uv.lock"))
        return
    files = _NotedFiles()
    requirements = parse_requirements(source, project.directory, files)
    yield from (source, *files.read, *requirements.artifacts)


class _NotedFiles(DiskFiles):
    """Files on disk, with a note of each that was read."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def read_text(self, path: Path) -> str:
        self.read.append(path)
        return super().read_text(path)


def _compiling_pythons(cache: Cache) -> Iterator[Path]:
    for path in sorted((cache.root / "compilers").glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            python = Path(json.loads(path.read_bytes())["path"])
            yield from (python, python.resolve())


def _documents(done: Done) -> Iterator[Path]:
    """Yield the notes of the cache that decide on the base and on Pythons."""
    cache, base, platform = done.cache, done.image.base, done.image.config.platform
    if done.asked_base.digest is None:
        yield BaseTags(cache).path(done.asked_base, platform)
    yield base_path(cache, base.digest, platform)
    for folder in ("compilers", "interpreters"):
        yield from sorted((cache.root / folder).glob("*.json"))


def _folders_of(package: str) -> Iterable[str]:
    spec = sys.modules[package].__spec__ if package in sys.modules else find_spec(package)
    return (spec.submodule_search_locations or ()) if spec is not None else ()


def _is_before(identity: Identity | None, moment: float) -> bool:
    """Tell whether a file was there, as it is, before a moment; or has not come since."""
    return identity is None or max(identity[1], identity[2]) / 1e9 < moment
