"""An image's documents, changed in the few places that its code decides on; JSON in, the same canonical JSON out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cogworks.oci.layer import Layer
    from cogworks.repeat.shape import ImageRecord

SCHEMA_LABEL = "run.cog.openapi_schema"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def canonical(value: Any) -> bytes:
    """Return the one spelling of a value, as ``oci.documents.canonical_json`` does."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def digest_of(data: bytes) -> str:
    """Return `sha256:<hex>` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def with_layers(
    image: ImageRecord, layers: Sequence[Layer], document: str, revision: Mapping[str, str]
) -> ImageRecord:
    """Return an image with other layers on top, as many as are replaced.

    Args:
        layers: the code and the metadata.
        document: the OpenAPI document; empty for an image without.
        revision: labels of the commit and the version.
    """
    count = len(layers)
    config: dict[str, Any] = json.loads(image["config"])
    config["rootfs"]["diff_ids"][-count:] = [str(one.diff_id) for one in layers]
    labels = _without_revision(config["config"]["Labels"], image["base_labels"])
    labels.pop(SCHEMA_LABEL, None)
    config["config"]["Labels"] = {
        **labels,
        **({SCHEMA_LABEL: document} if document else {}),
        **revision,
    }
    data = canonical(config)
    manifest: dict[str, Any] = json.loads(image["manifest"])
    manifest["layers"][-count:] = [one.descriptor.to_json() for one in layers]
    manifest["config"] |= {"digest": digest_of(data), "size": len(data)}
    whole = canonical(manifest)
    artifact: dict[str, Any] = json.loads(image["artifact"])
    artifact["subject"] |= {"digest": digest_of(whole), "size": len(whole)}
    return {
        **image,
        "config": data.decode(),
        "manifest": whole.decode(),
        "document": document,
        "artifact": canonical(artifact).decode(),
    }


def listing_of(artifact: bytes) -> bytes:
    """Return the index that tells of an artifact where a registry keeps no such lists; nobody else is in it."""
    described = json.loads(artifact)
    entry = {
        "mediaType": described["mediaType"],
        "digest": digest_of(artifact),
        "size": len(artifact),
        "artifactType": described["artifactType"],
        **({"annotations": described["annotations"]} if "annotations" in described else {}),
    }
    return canonical({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]})


def _without_revision(labels: Mapping[str, str], of_base: Mapping[str, str]) -> dict[str, str]:
    """Return labels without those of a commit; the base's own ones come to light again."""
    from cogworks.build.revision import REVISION, VERSION

    kept = {name: value for name, value in labels.items() if name not in (REVISION, VERSION)}
    below = {name: of_base[name] for name in (REVISION, VERSION) if name in of_base}
    return {**kept, **below}
