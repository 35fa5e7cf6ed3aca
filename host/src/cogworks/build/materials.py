"""What of a build goes into the bill of materials of its image, and how that is attached to the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cogworks.build.base_image import Base
from cogworks.build.layers import NamedLayer, ProjectLayers
from cogworks.build.licenses import License
from cogworks.build.own_wheels import SDK
from cogworks.build.pythons import Pythons
from cogworks.build.sbom import FILE_NAME, MEDIA_TYPE, Bill, Interpreter, Package
from cogworks.build.wheel_set import WheelFile, licenses_of
from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Manifest, descriptor_of
from cogworks.registry.artifact import Artifact


def bill_of(
    base: Base,
    made: ProjectLayers,
    server: Sequence[WheelFile],
    pythons: Pythons,
    layers: Sequence[NamedLayer],
) -> Bill:
    """Return what an image is made of.

    Args:
        server: the wheels of the server's environment.
        layers: all layers above the base, which know the licences of what is in them.
    """
    licenses = licenses_of(one.cached for one in layers)
    # The SDK is in both environments.
    model = (*made.wheels, *(one for one in server if one.name == SDK))
    return Bill(
        base.digest,
        tuple(_packages(model, licenses)),
        tuple(_packages(server, licenses)),
        tuple(Interpreter(one.version, Digest(one.digest)) for one in pythons.brought),
    )


def sbom_artifact(sbom: bytes, manifest: Manifest) -> Artifact:
    """Return a bill of materials as what is attached to an image."""
    return Artifact(sbom, MEDIA_TYPE, FILE_NAME, descriptor_of(manifest))


def _packages(wheels: Sequence[WheelFile], licenses: Mapping[Digest, License]) -> Iterator[Package]:
    for one in wheels:
        yield Package(one.name, one.version, one.digest, licenses.get(one.digest, License()))
