"""Pushing an image: layers at once, then the config, then the manifest, so that no name ever points to half an image."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Manifest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import Blob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import UNKNOWN_BLOB_CODES, AnswerError
from cogworks.registry.upload import Outcome, StoppedError, UploadRules
from cogworks.registry.uploads import Uploads


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
    """The manifest's digest, and how each blob got there; ``notices`` are sentences about what did not work beside it."""

    digest: Digest
    outcomes: Mapping[Digest, Outcome]
    notices: tuple[str, ...] = ()

    @property
    def uploaded(self) -> frozenset[Digest]:
        """The blobs whose bytes were sent."""
        return frozenset(one for one, how in self.outcomes.items() if how is Outcome.UPLOADED)


class ImagePush:
    """Blobs on their way to one repository, while the image that they belong to is still being made.

    `with ImagePush(...) as push: push.add(blob); ...; push.finish(image)`; whatever ends the `with`, nothing is sent any more.

    Args:
        known: what the repository had when it was last seen. It is not asked for these again; if it turns down the
            manifest, all are looked at.
    """

    def __init__(
        self,
        client: Client,
        reference: Reference,
        rules: UploadRules | None = None,
        known: Collection[Digest] = (),
    ) -> None:
        self._client, self._reference, self._rules = client, reference, rules
        self._known = frozenset(known)
        self._uploads = Uploads(client, reference.repository, rules)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._uploads.stop_soon()
        self._uploads.__exit__(kind, error or StoppedError("the push is over."), trace)

    def add(self, blob: Blob, mount_from: Sequence[Repository] = ()) -> None:
        """Send a blob soon.

        Raises:
            RegistryError: another one could not be sent, so that going on makes no sense.
        """
        self._uploads.raise_failure()
        if blob.digest not in self._known:
            _submit(self._uploads, blob, mount_from)

    def finish(self, image: ImageToPush) -> Pushed:
        """Send what is missing of an image, then its manifest.

        Raises:
            RegistryError: it could not be done; the name is as it was before.
        """
        outcomes = _push_blobs(self._uploads, image, self._known)
        data, media_type = image.manifest.to_bytes(), image.manifest.media_type
        try:
            digest = self._client.put_manifest(self._reference, data, media_type)
        except AnswerError as error:
            if not self._may_lack_blobs(error):
                raise
            # A blob that was there is gone, swept away in the meantime: look again, send what is missing, once.
            with Uploads(self._client, self._reference.repository, self._rules) as again:
                found = _push_blobs(again, image)
            sent = {one: how for one, how in found.items() if how is not Outcome.EXISTED}
            # What is there now may have been sent by this push before.
            outcomes = found | outcomes | sent
            digest = self._client.put_manifest(self._reference, data, media_type)
        return Pushed(digest, outcomes)

    def _may_lack_blobs(self, error: AnswerError) -> bool:
        """Tell whether a manifest was turned down because a blob is not there; registries say that in several ways."""
        is_said = bool(UNKNOWN_BLOB_CODES & set(error.codes))
        return is_said or (bool(self._known) and error.status in (400, 404))


def push_image(
    client: Client, reference: Reference, image: ImageToPush, rules: UploadRules | None = None
) -> Pushed:
    """Push an image under a name and return its digest.

    Raises:
        RegistryError: it could not be done; the name is as it was before.
    """
    with ImagePush(client, reference, rules) as push:
        return push.finish(image)


def _push_blobs(
    uploads: Uploads, image: ImageToPush, known: Collection[Digest] = ()
) -> dict[Digest, Outcome]:
    """Send layers, then the configuration; what was submitted before, or is known to be there, is not sent again."""
    for layer in image.manifest.layers:
        if layer.digest not in known:
            _submit(uploads, image.blobs[layer.digest], image.mount_from.get(layer.digest, ()))
    uploads.wait()
    config = image.manifest.config.digest
    if config not in known:
        _submit(uploads, image.blobs[config], image.mount_from.get(config, ()))
    there = {one.digest: Outcome.EXISTED for one in image.manifest.blobs if one.digest in known}
    return there | uploads.wait()


def _submit(uploads: Uploads, blob: Blob, mount_from: Sequence[Repository]) -> None:
    sources = list(mount_from)
    if isinstance(blob, RemoteBlob):
        sources.insert(0, blob.repository)
    uploads.submit(blob, sources)
