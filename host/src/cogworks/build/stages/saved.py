"""The layers that an engine has added to an image, out of the archive in which it hands the image over.

Docker before 25 writes `ID/layer.tar`, docker since then an OCI layout, buildah and podman `DIFF_ID.tar`; in all of them
`manifest.json` names the configuration and the layers. The archive is read as it comes, once; layers that are known are
not kept.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from cogworks.build.errors import StageError
from cogworks.build.stages.unpacked import UNPACK_ERRORS, is_packed, unpack
from cogworks.oci.digest import Digest
from cogworks.oci.errors import OciError
from cogworks.oci.image import ImageConfig, parse_config

BLOCK_BYTES = 1024 * 1024
DOCUMENT_MAX_BYTES = 8 * 1024 * 1024
"""What is smaller may be a configuration or a manifest."""


def read_new_layers(stream: IO[bytes], known: Sequence[Digest], folder: Path) -> list[Path]:
    """Return the layers above the known ones as tar files, lowest first.

    Args:
        known: the diff_ids of the layers below.
        folder: an empty one, for the files.

    Raises:
        StageError: it is not the archive of an image on these layers.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            saved = _read(archive, frozenset(known), folder)
        return saved.layers(known, folder)
    except (tarfile.TarError, OciError, *UNPACK_ERRORS, ValueError, KeyError, TypeError) as error:
        raise StageError(f"The image that the engine made cannot be read: {error}") from error


@dataclass(slots=True)
class _Saved:
    documents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    files: dict[str, Path] = field(default_factory=dict[str, Path])
    links: dict[str, str] = field(default_factory=dict[str, str])

    def layers(self, known: Sequence[Digest], folder: Path) -> list[Path]:
        (entry,) = cast("list[Mapping[str, object]]", json.loads(self.documents["manifest.json"]))
        names = cast("Sequence[str]", entry["Layers"])
        config = self._config(str(entry["Config"]))
        if config.diff_ids[: len(known)] != tuple(known) or len(names) != len(config.diff_ids):
            raise StageError(
                "The image that the engine made is not on the layers that it was given."
            )
        new = zip(names[len(known) :], config.diff_ids[len(known) :], strict=True)
        return [self._layer(name, diff_id, folder) for name, diff_id in new]

    def _config(self, name: str) -> ImageConfig:
        return parse_config(self.documents[self._resolved(name)])

    def _layer(self, name: str, diff_id: Digest, folder: Path) -> Path:
        found = self.files[self._resolved(name)]
        plain = found
        if is_packed(found):
            plain = folder / f"{found.name}.plain"
            unpack(found, plain)
            found.unlink()
        with plain.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != diff_id.hex:
                raise StageError("A layer that the engine made is not what the image says.")
        return plain

    def _resolved(self, name: str) -> str:
        while name in self.links:
            name = self.links.pop(name)
        return name


def _read(archive: tarfile.TarFile, known: frozenset[Digest], folder: Path) -> _Saved:
    saved = _Saved()
    names = {f"{one.hex}.tar" for one in known} | {f"blobs/sha256/{one.hex}" for one in known}
    for number, info in enumerate(archive):
        if info.issym() or info.islnk():
            parent = posixpath.dirname(info.name) if info.issym() else ""
            saved.links[info.name] = posixpath.normpath(posixpath.join(parent, info.linkname))
        elif info.isreg():
            file = archive.extractfile(info)
            assert file is not None
            if info.size <= DOCUMENT_MAX_BYTES:
                _keep_small(saved, info.name, file.read(), folder / f"{number:05}")
            elif info.name not in names:
                path = folder / f"{number:05}"
                if _spool(file, path) in known:
                    path.unlink()
                else:
                    saved.files[info.name] = path
    return saved


def _keep_small(saved: _Saved, name: str, data: bytes, path: Path) -> None:
    """Keep a document in memory, and everything else as a file; an empty layer may be one that is known, too."""
    if data.lstrip()[:1] in (b"{", b"["):
        saved.documents[name] = data
    else:
        path.write_bytes(data)
        saved.files[name] = path


def _spool(file: IO[bytes], path: Path) -> Digest:
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            target.write(block)
    return Digest(digest.hexdigest())
