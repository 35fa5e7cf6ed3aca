"""Load a built image into docker or podman: only the layers that it lacks, streamed, without a file of the whole.

What is sent is an OCI layout and docker's `manifest.json` in one archive, a *thin hybrid*, in which layers may be missing:

    docker              has a layer only as part of a chain: it needs every layer above the first that it lacks
    podman              has a layer by itself, wherever in an image it was
    docker, containerd  looks for layers by their chain as well, when it unpacks

Docker before 25 and podman 4.3 were seen to accept that. Where one does not (another program removed an image meanwhile,
say), the whole archive is sent; the base's layers come from their registry as they are needed.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from cogworks.build.assemble import BuiltImage
from cogworks.build.errors import BuildError
from cogworks.build.load_archive import common_length, load_archive
from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import ContainerError, reason
from cogworks.engines.containers.images import (
    LocalImage,
    find_image,
    find_images,
    list_image_ids,
)
from cogworks.oci.digest import Digest
from cogworks.oci.image import ImageConfig
from cogworks.oci.layer import Codec, codec_of
from cogworks.oci.manifest import Manifest
from cogworks.oci.reference import DEFAULT_REGISTRY, DEFAULT_TAG, parse_reference
from cogworks.registry.blobs import Blob
from cogworks.registry.client import Client

OnProgress = Callable[[int, int], object]
"""Is told how many bytes were sent so far, and how many there are."""

FEW_BYTES = 4 * 1024 * 1024
"""What lies above an image's last version is sent without asking what else there is, if it is less than this."""
ASKED_MAX = 300
"""How many images are looked at for layers; each costs a millisecond or so."""
OWN_LABEL = "run.cog.version"
_ZSTD_SINCE = (23,)
"""Docker's first release that reads layers packed with zstd."""
_FULL_DISK = "no space left"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was done.

    Attributes:
        name: as the engine lists it, with its tag.
        image_id: the digest of its configuration.
        engine_id: by what the engine finds it, whoever takes the name meanwhile.
        sent_bytes, sent_layers: 0 where the engine had the image already.
        layer_count: all layers of the image.
    """

    name: str
    image_id: Digest
    engine_id: str
    sent_bytes: int
    sent_layers: int
    layer_count: int


@dataclass(frozen=True)
class Loadable:
    """An image with what its blobs can be read from."""

    config: ImageConfig
    manifest: Manifest
    blobs: Mapping[Digest, Blob]


def load_image(
    engine: ContainerEngine,
    image: BuiltImage,
    name: str,
    client: Client,
    on_progress: OnProgress = lambda sent, total: None,
) -> Loaded:
    """Load an image under a name; a name without a tag gets `latest`.

    Args:
        engine: one that answers.
        client: fetches layers of the base that the engine lacks.

    Raises:
        BuildError: the engine does not take it.
        ContainerError: the engine does not answer.
        InvalidReferenceError: the name is none.
        RegistryError: a layer of the base cannot be fetched.
    """
    loadable = Loadable(image.config, image.manifest, image.blobs(client))
    return load(engine, loadable, name, on_progress)


def load(
    engine: ContainerEngine,
    image: Loadable,
    name: str,
    on_progress: OnProgress = lambda sent, total: None,
) -> Loaded:
    """Load an image whose blobs are at hand; as above."""
    name = name_in(engine, name)
    _refuse_unreadable(engine, image)
    present = find_image(engine, name)
    if present is not None and _is(present, image):
        return _loaded(name, image, present, 0, 0)
    left_out = _known(engine, image, present)
    if left_out:
        try:
            return _send(engine, image, name, left_out, on_progress)
        except _NotTaken as error:
            if _FULL_DISK in str(error):
                raise
    return _send(engine, image, name, frozenset(), on_progress)


def name_in(engine: ContainerEngine, name: str) -> str:
    """Return what an engine calls an image: podman keeps what names no registry as `localhost/...`."""
    reference = parse_reference(name)
    if reference.digest is not None:
        raise BuildError(f"{name} names a digest, which an image gets by itself. Give it a tag.")
    tagged = f"{reference.repository}:{reference.tag or DEFAULT_TAG}"
    familiar = parse_reference(tagged).familiar
    if not engine.is_podman:
        return familiar
    is_docker_hub = name.partition("/")[0] in (DEFAULT_REGISTRY, f"index.{DEFAULT_REGISTRY}")
    if reference.registry != DEFAULT_REGISTRY or is_docker_hub:
        return tagged
    return f"localhost/{familiar}"


class _NotTaken(BuildError):
    """The engine did not take an archive."""


def _refuse_unreadable(engine: ContainerEngine, image: Loadable) -> None:
    packed = any(codec_of(one.media_type) is Codec.ZSTD for one in image.manifest.layers)
    if packed and not engine.is_podman and engine.release < _ZSTD_SINCE:
        raise BuildError(
            f"{engine} cannot read layers that are packed with zstd. "
            "Build with --compression gzip, or use Docker 23 or newer."
        )


def _is(present: LocalImage, image: Loadable) -> bool:
    return present.id in (str(image.config.image_id), str(image.manifest.digest))


def _known(
    engine: ContainerEngine, image: Loadable, present: LocalImage | None
) -> frozenset[Digest]:
    """Return the blobs of layers that the engine has."""
    known = _shared(engine, image, [present] if present else [])
    lacking = {one.digest: one.size_bytes for one in image.manifest.layers}
    if sum(size for digest, size in lacking.items() if digest not in known) < FEW_BYTES:
        return known
    ids = dict.fromkeys((*list_image_ids(engine, OWN_LABEL), *list_image_ids(engine)))
    others = find_images(engine, list(ids)[:ASKED_MAX])
    return _shared(engine, image, others)


def _shared(
    engine: ContainerEngine, image: Loadable, there: Collection[LocalImage]
) -> frozenset[Digest]:
    """Return the blobs of an image's layers that other images of the engine have, too."""
    wanted = tuple(map(str, image.config.diff_ids))
    if engine.is_podman:
        single = {diff_id for one in there for diff_id in one.diff_ids}
        has = [diff_id in single for diff_id in wanted]
    else:
        length = max((common_length(wanted, one.diff_ids) for one in there), default=0)
        has = [index < length for index in range(len(wanted))]
    digests = [one.digest for one in image.manifest.layers]
    # A blob that is there twice is needed if it is needed once.
    needed = {digest for digest, known in zip(digests, has, strict=True) if not known}
    return frozenset(digests) - needed


def _send(
    engine: ContainerEngine,
    image: Loadable,
    name: str,
    left_out: frozenset[Digest],
    on_progress: OnProgress,
) -> Loaded:
    sizes = {one.digest: one.size_bytes for one in image.manifest.layers}
    sent = [digest for digest in sizes if digest not in left_out]
    platform = image.config.platform
    chunks = load_archive(image.manifest, platform, image.blobs, name, left_out)
    total = sum(sizes[digest] for digest in sent)
    sent_bytes = _pipe(engine, chunks, total, on_progress)
    there = find_image(engine, name)
    if there is None or there.diff_ids != tuple(map(str, image.config.diff_ids)):
        raise _NotTaken(f"{engine} took the image {name}, but does not have all of its layers.")
    return _loaded(name, image, there, sent_bytes, len(sent))


def _loaded(
    name: str, image: Loadable, there: LocalImage, sent_bytes: int, sent_layers: int
) -> Loaded:
    config = image.config
    return Loaded(name, config.image_id, there.id, sent_bytes, sent_layers, len(config.diff_ids))


def _pipe(
    engine: ContainerEngine, chunks: Iterator[bytes], total: int, on_progress: OnProgress
) -> int:
    """Give an archive to `load`; return its bytes."""
    # A file, since nobody reads a pipe meanwhile.
    with tempfile.TemporaryFile() as said:
        process = _start(engine, said.fileno())
        try:
            sent = _feed(process, chunks, total, on_progress)
        except BaseException:
            # Before its input ends: what it has so far must not look like all there is.
            process.kill()
            raise
        finally:
            _close(process)
            code = process.wait()
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if code != 0:
        raise _NotTaken(f"{engine} did not take the image: {reason(text) or f'exit code {code}'}.")
    return sent


def _feed(
    process: subprocess.Popen[bytes], chunks: Iterator[bytes], total: int, on_progress: OnProgress
) -> int:
    assert process.stdin is not None
    sent = 0
    # A program that has ended says why with its exit code.
    with suppress(BrokenPipeError):
        for chunk in chunks:
            process.stdin.write(chunk)
            sent += len(chunk)
            on_progress(min(sent, total), total)
        process.stdin.flush()
    return sent


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()


def _start(engine: ContainerEngine, output: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [engine.program, "load", "--quiet"],
            env=dict(engine.environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    except OSError as error:
        raise ContainerError(f"{engine.program} cannot be started: {error.strerror}") from error
