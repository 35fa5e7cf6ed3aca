"""Send a built image to a registry: only what is not there, and the base's layers without a detour where that is possible."""

from __future__ import annotations

from cogworks.build.assemble import BuiltImage
from cogworks.oci.reference import Reference
from cogworks.registry.client import Client
from cogworks.registry.push import ImageToPush, Pushed, push_image
from cogworks.registry.upload import UploadRules


def publish(
    client: Client, reference: Reference, image: BuiltImage, rules: UploadRules | None = None
) -> Pushed:
    """Push an image under a name.

    The base's layers are mounted from its repository if it is in the same registry, else streamed from there.

    Raises:
        RegistryError: it could not be done; the name is as it was before.
    """
    return push_image(client, reference, ImageToPush(image.manifest, image.blobs(client)), rules)
