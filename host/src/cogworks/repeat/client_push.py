"""Send an image that was made again with the whole client: credentials, redirects, retries, and words for what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.build.cache import Cache
from cogworks.build.mount_sources import MountSources
from cogworks.build.sbom import FILE_NAME, MEDIA_TYPE
from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Manifest, descriptor_of, parse_document
from cogworks.oci.reference import Reference, Repository, parse_reference
from cogworks.registry.artifact import Artifact
from cogworks.registry.blobs import Blob, BytesBlob, FileBlob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.credentials import credential_store
from cogworks.registry.errors import RegistryError
from cogworks.registry.push import ImagePush, ImageToPush
from cogworks.registry.referrers import attach

if TYPE_CHECKING:
    from cogworks.repeat.shape import ImageRecord, TargetRecord


def push_by_client(
    target: TargetRecord, image: ImageRecord, cache_dir: str, environ: Mapping[str, str]
) -> tuple[list[int], list[str]]:
    """Push an image; return the sizes of the blobs that were sent, and what did not work beside it.

    Raises:
        RegistryError: it could not be done; the name is as it was before.
    """
    cache, notices = Cache(Path(cache_dir)), list[str]()
    repository = Repository(target["registry"], target["repository"])
    store = credential_store(environ, Path.home())
    manifest = parse_document(image["manifest"].encode())
    assert isinstance(manifest, Manifest)
    seen = MountSources(cache)
    sources = seen.find(repository.registry)
    known = [one for one, where in sources.items() if repository in where]
    reference = Reference(repository, target["tag"])
    with Client(store, insecure_registries=target["insecure"]) as client:
        blobs = _blobs(client, image, manifest, cache)
        with ImagePush(client, reference, known=known) as push:
            pushed = push.finish(ImageToPush(manifest, blobs, sources))
        seen.remember(repository, pushed, sources)
        sbom = image["sbom"].encode()
        artifact = Artifact(sbom, MEDIA_TYPE, FILE_NAME, descriptor_of(manifest))
        try:
            attach(client, repository, artifact)
        except RegistryError as error:
            notices.append(
                f"The image was pushed, and its {artifact.title} could not be attached: {error}"
            )
    return [one.size_bytes for one in manifest.blobs if one.digest in pushed.uploaded], notices


def _blobs(
    client: Client, image: ImageRecord, manifest: Manifest, cache: Cache
) -> dict[Digest, Blob]:
    base = parse_reference(image["base_name"]).repository
    count = image["base_layer_count"]
    remote: list[Blob] = [RemoteBlob(client, base, one) for one in manifest.layers[:count]]
    own: list[Blob] = [
        FileBlob(cache.blob_path(one.digest), one.digest, one.size_bytes)
        for one in manifest.layers[count:]
    ]
    config: Blob = BytesBlob(image["config"].encode())
    return {one.digest: one for one in (*remote, *own, config)}
