"""Send a built image to a registry: only what is not there, and the base's layers without a detour where that is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from cogworks.build.assemble import BuiltImage
from cogworks.build.base_image import Base
from cogworks.build.layer_index import LayerIndex
from cogworks.build.layers import NamedLayer
from cogworks.build.mount_sources import MountSources
from cogworks.oci.digest import Digest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import RegistryError
from cogworks.registry.push import ImagePush, ImageToPush, Pushed
from cogworks.registry.referrers import attach
from cogworks.registry.upload import UploadRules


class Publication:
    """An image on its way while it is made: `with Publication(...) as p: p.add(layer); ...; p.finish(image)`.

    The layers of its base go first: they are known before anything else.

    Args:
        seen: tells what the repository has already and where other blobs may be mounted from; it is told where they are
            in the end.
        index: gets the layers that others may use.
    """

    def __init__(
        self,
        client: Client,
        reference: Reference,
        base: Base,
        rules: UploadRules | None = None,
        seen: MountSources | None = None,
        index: LayerIndex | None = None,
    ) -> None:
        self._index = index
        self._client, self._base, self._seen = client, base, seen
        self._repository = reference.repository
        self._sources: Mapping[Digest, Sequence[Repository]] = {}
        if seen is not None:
            self._sources = seen.find(self._repository.registry)
        known = [one for one, where in self._sources.items() if self._repository in where]
        self._push = ImagePush(client, reference, rules, known)

    def __enter__(self) -> Self:
        repository = self._base.reference.repository
        try:
            for layer in self._base.image.manifest.layers:
                blob = RemoteBlob(self._client, repository, layer)
                self._push.add(blob, self._sources.get(layer.digest, ()))
        except BaseException as error:
            self._push.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._push.__exit__(kind, error, trace)

    def add(self, layer: NamedLayer) -> None:
        """Send a layer.

        Raises:
            RegistryError: what was sent before failed.
        """
        self._push.add(layer.cached.blob, self._near(layer))

    def finish(self, image: BuiltImage) -> Pushed:
        """Send what is missing, then the manifest.

        Raises:
            RegistryError: it could not be done; the name is as it was before.
        """
        near = {one.cached.layer.digest: self._near(one) for one in image.layers}
        sources = {**self._sources, **near}
        blobs = image.blobs(self._client)
        pushed = self._push.finish(ImageToPush(image.manifest, blobs, sources))
        if self._seen is not None:
            self._seen.remember(self._repository, pushed, self._sources)
        notices = [*self._attach(image)]
        if self._index is not None:
            notices.append(
                self._index.publish([one.cached for one in image.layers], self._repository)
            )
        return replace(pushed, notices=tuple(one for one in notices if one))

    def _attach(self, image: BuiltImage) -> Iterator[str]:
        """Put what belongs to the image beside it; yield what went wrong: the image itself is there."""
        for artifact in image.artifacts:
            try:
                attach(self._client, self._repository, artifact)
            except RegistryError as error:
                yield (
                    f"The image was pushed, and its {artifact.title} could not be attached: {error}"
                )

    def _near(self, layer: NamedLayer) -> Sequence[Repository]:
        """Return where a layer may be mounted from; the index may have weights that are not looked up in it."""
        sources = self._sources.get(layer.cached.layer.digest, ())
        if self._index is None or not layer.cached.shared_as:
            return sources
        return (*sources, self._index.repository)


def publish(
    client: Client,
    reference: Reference,
    image: BuiltImage,
    rules: UploadRules | None = None,
    seen: MountSources | None = None,
    index: LayerIndex | None = None,
) -> Pushed:
    """Push an image under a name.

    The base's layers are mounted from its repository if it is in the same registry, else streamed from there.

    Args:
        seen, index: as for ``Publication``.

    Raises:
        RegistryError: it could not be done; the name is as it was before.
    """
    with Publication(client, reference, image.base, rules, seen, index) as publication:
        return publication.finish(image)
