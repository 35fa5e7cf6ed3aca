"""Artifacts that belong to an image, such as its bill of materials: attached, and found again.

An artifact's manifest names the image's manifest as its subject. Registries with the referrers API list it by
themselves; for others, an index under the tag `sha256-<hex>` does: whoever attaches something adds it there.
Source: OCI distribution-spec v1.1, "Referrers Tag Schema".
"""

from __future__ import annotations

from dataclasses import replace

from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Descriptor, Index, descriptor_of
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.artifact import Artifact
from cogworks.registry.client import Client
from cogworks.registry.errors import NotFoundError, RegistryError
from cogworks.registry.upload import UploadRules
from cogworks.registry.uploads import Uploads

LISTING_TRIES = 5
"""Others may write the same index at the same time; whoever finds that its entry got lost adds it again."""


class ReferrersTagError(RegistryError):
    """The tag that should hold an index of referrers holds something else."""


def attach(
    client: Client, repository: Repository, artifact: Artifact, rules: UploadRules | None = None
) -> Digest:
    """Put an artifact beside its image, which is in the repository already; return the digest of its manifest.

    Raises:
        RegistryError: it could not be done. The image is as it was.
    """
    manifest = artifact.manifest
    reference = Reference(repository, digest=manifest.digest)
    if client.find_manifest(reference) is None:
        with Uploads(client, repository, rules) as uploads:
            for blob in artifact.blobs:
                uploads.submit(blob)
        is_listed = client.put_referrer(reference, manifest.to_bytes(), manifest.media_type)
    else:
        is_listed = client.find_referrers(repository, artifact.subject.digest) is not None
    if not is_listed:
        _list_by_tag(client, repository, artifact)
    return manifest.digest


def find_referrers(
    client: Client, repository: Repository, subject: Digest, artifact_type: str = ""
) -> tuple[Descriptor, ...]:
    """Return what refers to a manifest; all of it, or only artifacts of a kind."""
    index = client.find_referrers(repository, subject, artifact_type)
    if index is None:
        index = _tagged_index(client, referrers_tag(repository, subject))
    return tuple(
        one for one in index.manifests if not artifact_type or one.artifact_type == artifact_type
    )


def referrers_tag(repository: Repository, subject: Digest) -> Reference:
    """Return the tag of the index for a manifest."""
    return Reference(repository, f"sha256-{subject.hex}")


def _list_by_tag(client: Client, repository: Repository, artifact: Artifact) -> None:
    tag = referrers_tag(repository, artifact.subject.digest)
    entry = _entry(artifact)
    for _ in range(LISTING_TRIES):
        index = _tagged_index(client, tag)
        if any(one.digest == entry.digest for one in index.manifests):
            return
        # What others have attached stays, with the index's own fields.
        grown = replace(index, manifests=(*index.manifests, entry))
        client.put_manifest(tag, grown.to_bytes(), grown.media_type)
    raise ReferrersTagError(
        f"{tag}: others write this index all the time, tried {LISTING_TRIES} times. Push again."
    )


def _entry(artifact: Artifact) -> Descriptor:
    """Return how an index of referrers lists an artifact: with its kind and its annotations."""
    found = descriptor_of(artifact.manifest)
    return Descriptor(
        found.media_type,
        found.digest,
        found.size_bytes,
        artifact.annotations,
        artifact_type=artifact.media_type,
    )


def _tagged_index(client: Client, tag: Reference) -> Index:
    try:
        document = client.get_manifest(tag).document
    except NotFoundError:
        return Index(())
    if not isinstance(document, Index):
        raise ReferrersTagError(
            f"{tag} is an image and no index of artifacts; nothing was attached. Remove or rename that tag."
        )
    return document
