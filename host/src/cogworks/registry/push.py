"""Pushing an image: layers at once, then the config, then the manifest, so that no name ever points to half an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Manifest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import Blob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import AnswerError
from cogworks.registry.upload import Outcome, UploadRules
from cogworks.registry.uploads import Uploads

UNKNOWN_BLOB_CODES = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})


@dataclass(frozen=True)
class ImageToPush:
    """An image and where its blobs come from.

    Attributes:
        blobs: every blob of the manifest, the config included.
        mount_from: repositories of the target's registry that may have a blob.
    """

    manifest: Manifest
    blobs: Mapping[Digest, Blob]
    mount_from: Mapping[Digest, Sequence[Repository]] = field(
        default_factory=dict[Digest, Sequence[Repository]]
    )


@dataclass(frozen=True)
class Pushed:
    """The manifest's digest, and how each blob got there."""

    digest: Digest
    outcomes: Mapping[Digest, Outcome]

    @property
    def uploaded(self) -> frozenset[Digest]:
        """The blobs whose bytes were sent."""
        return frozenset(one for one, how in self.outcomes.items() if how is Outcome.UPLOADED)


def push_image(
    client: Client, reference: Reference, image: ImageToPush, rules: UploadRules | None = None
) -> Pushed:
    """Push an image under a name and return its digest.

    Raises:
        RegistryError: it could not be done; the name is as it was before.
    """
    outcomes = _push_blobs(client, reference.repository, image, rules)
    data, media_type = image.manifest.to_bytes(), image.manifest.media_type
    try:
        digest = client.put_manifest(reference, data, media_type)
    except AnswerError as error:
        if not UNKNOWN_BLOB_CODES & set(error.codes):
            raise
        # A blob that was there is gone, swept away in the meantime: look again, send what is missing, once.
        outcomes |= _push_blobs(client, reference.repository, image, rules)
        digest = client.put_manifest(reference, data, media_type)
    return Pushed(digest, outcomes)


def _push_blobs(
    client: Client, repository: Repository, image: ImageToPush, rules: UploadRules | None
) -> dict[Digest, Outcome]:
    config = image.manifest.config.digest
    with Uploads(client, repository, rules) as uploads:
        for blob in image.manifest.layers:
            _submit(uploads, image, blob.digest)
        outcomes = uploads.wait()
        _submit(uploads, image, config)
        return outcomes | uploads.wait()


def _submit(uploads: Uploads, image: ImageToPush, digest: Digest) -> None:
    blob = image.blobs[digest]
    sources = list(image.mount_from.get(digest, ()))
    if isinstance(blob, RemoteBlob):
        sources.insert(0, blob.repository)
    uploads.submit(blob, sources)
