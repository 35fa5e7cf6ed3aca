"""Whether an OCI layout is one, by the rules of the image-spec v1.1; written from the text of the spec, not from our code.

What a document must look like is a JSON Schema below; what must be true between documents and bytes is code: sizes,
digests, the diff_ids of unpacked layers, and how many layers, diff_ids and steps of history there are.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import zstandard

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TEXT_MAP = {"type": "object", "additionalProperties": _TEXT}
_SET = {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}}
# descriptor.md: "algorithm:encoded"; of the registered algorithms, the two of SHA-2.
_DIGEST = {"type": "string", "pattern": "^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$"}
# RFC 6838, section 4.2.
_NAME = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = {"type": "string", "pattern": f"^{_NAME}/{_NAME}$"}
_TIME = {"type": "string", "format": "date-time"}
_ARCHITECTURES = [
    "386",
    "amd64",
    "arm",
    "arm64",
    "loong64",
    "mips64le",
    "ppc64le",
    "riscv64",
    "s390x",
]
_PLATFORM_FIELDS: dict[str, Any] = {
    "architecture": {"enum": _ARCHITECTURES},
    "os": {"enum": ["linux", "windows", "darwin", "freebsd"]},
    "os.version": _TEXT,
    "os.features": _TEXTS,
    "variant": _TEXT,
}
_PLATFORM = {
    "type": "object",
    "required": ["architecture", "os"],
    "properties": _PLATFORM_FIELDS,
}
_DESCRIPTOR = {
    "type": "object",
    "required": ["mediaType", "digest", "size"],
    "properties": {
        "mediaType": _MEDIA_TYPE,
        "digest": _DIGEST,
        "size": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "urls": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "annotations": _TEXT_MAP,
        "data": {"type": "string", "contentEncoding": "base64"},
        "artifactType": _MEDIA_TYPE,
        "platform": _PLATFORM,
    },
}
_LAYOUT_SCHEMA = {
    "type": "object",
    "required": ["imageLayoutVersion"],
    "properties": {"imageLayoutVersion": {"const": "1.0.0"}},
}
_INDEX_SCHEMA = {
    "type": "object",
    "required": ["schemaVersion", "manifests"],
    "not": {"anyOf": [{"required": ["layers"]}, {"required": ["config"]}]},
    "properties": {
        "schemaVersion": {"const": 2},
        "mediaType": {"const": INDEX},
        "artifactType": _MEDIA_TYPE,
        "manifests": {"type": "array", "items": _DESCRIPTOR},
        "subject": _DESCRIPTOR,
        "annotations": _TEXT_MAP,
    },
}
_MANIFEST_SCHEMA = {
    "type": "object",
    "required": ["schemaVersion", "mediaType", "config", "layers"],
    "not": {"required": ["manifests"]},
    "properties": {
        "schemaVersion": {"const": 2},
        "mediaType": {"const": MANIFEST},
        "artifactType": _MEDIA_TYPE,
        "config": _DESCRIPTOR,
        "layers": {"type": "array", "items": _DESCRIPTOR, "minItems": 1},
        "subject": _DESCRIPTOR,
        "annotations": _TEXT_MAP,
    },
}
_CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["architecture", "os", "rootfs"],
    "properties": {
        **_PLATFORM_FIELDS,
        "created": _TIME,
        "author": _TEXT,
        "config": {
            "type": "object",
            "properties": {
                "User": _TEXT,
                "ExposedPorts": {
                    **_SET,
                    "propertyNames": {"pattern": "^[0-9]{1,5}(/(tcp|udp))?$"},
                },
                "Env": {"type": "array", "items": {"type": "string", "pattern": "^[^=]+="}},
                "Entrypoint": _TEXTS,
                "Cmd": _TEXTS,
                "Volumes": _SET,
                "WorkingDir": {"type": "string", "pattern": "^(/.*)?$"},
                "Labels": _TEXT_MAP,
                "StopSignal": {"type": "string", "pattern": r"^SIG[A-Z]+(\+[0-9]+)?$|^[0-9]+$"},
            },
        },
        "rootfs": {
            "type": "object",
            "required": ["type", "diff_ids"],
            "properties": {
                "type": {"const": "layers"},
                "diff_ids": {"type": "array", "items": _DIGEST},
            },
        },
        "history": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "created": _TIME,
                    "author": _TEXT,
                    "created_by": _TEXT,
                    "comment": _TEXT,
                    "empty_layer": {"type": "boolean"},
                },
            },
        },
    },
}


def problems_of(layout: Path) -> list[str]:
    """Return all that is wrong with a layout, a folder; nothing where it follows the spec."""
    return list(_Layout(layout).problems())


class _Layout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def problems(self) -> Iterator[str]:
        yield from _schema_problems("oci-layout", self._read("oci-layout"), _LAYOUT_SCHEMA)
        yield from self._blob_names()
        index = self._read("index.json")
        yield from _schema_problems("index.json", index, _INDEX_SCHEMA)
        for descriptor in index["manifests"]:
            yield from self._document(descriptor)

    def _read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_bytes())

    def _blob_names(self) -> Iterator[str]:
        """A blob's path is its digest's (image-layout.md, "Blobs")."""
        for path in (self.folder / "blobs").rglob("*"):
            if path.is_file():
                own = hashlib.new(path.parent.name, path.read_bytes()).hexdigest()
                if own != path.name:
                    yield f"{path.relative_to(self.folder)} has the digest {own}"

    def _blob(self, descriptor: dict[str, Any]) -> bytes | None:
        algorithm, _, encoded = descriptor["digest"].partition(":")
        path = self.folder / "blobs" / algorithm / encoded
        return path.read_bytes() if path.is_file() else None

    def _sized(self, what: str, descriptor: dict[str, Any]) -> Iterator[str]:
        data = self._blob(descriptor)
        if data is None:
            yield f"{what} {descriptor['digest']} is not there"
        elif len(data) != descriptor["size"]:
            yield f"{what} {descriptor['digest']} has {len(data)} bytes, not {descriptor['size']}"

    def _document(self, descriptor: dict[str, Any]) -> Iterator[str]:
        yield from self._sized("manifest", descriptor)
        data = self._blob(descriptor)
        if data is None:
            return
        document = json.loads(data)
        if document.get("mediaType", descriptor["mediaType"]) != descriptor["mediaType"]:
            yield f"{descriptor['digest']} is not what its descriptor says"
        if descriptor["mediaType"] == INDEX:
            yield from _schema_problems("index", document, _INDEX_SCHEMA)
            for one in document["manifests"]:
                yield from self._document(one)
            return
        found = list(_schema_problems("manifest", document, _MANIFEST_SCHEMA))
        yield from found
        if not found:
            yield from self._manifest(document, descriptor.get("platform"))

    def _manifest(self, manifest: dict[str, Any], platform: dict[str, str] | None) -> Iterator[str]:
        for layer in manifest["layers"]:
            yield from self._sized("layer", layer)
        config = manifest["config"]
        yield from self._sized("config", config)
        if config["mediaType"] == EMPTY and "artifactType" not in manifest:
            yield "an artifact without a configuration says its type (manifest.md, artifactType)"
        if config["mediaType"] != CONFIG:
            return
        data = self._blob(config)
        document: dict[str, Any] = json.loads(data) if data is not None else {}
        found = list(_schema_problems("config", document, _CONFIG_SCHEMA))
        yield from found
        if not found:
            yield from self._config(document, manifest["layers"], platform)

    def _config(
        self,
        config: dict[str, Any],
        layers: list[dict[str, Any]],
        platform: dict[str, str] | None,
    ) -> Iterator[str]:
        if platform and any(config.get(key) != value for key, value in platform.items()):
            yield f"the index says {platform}, the configuration another platform"
        diff_ids = config["rootfs"]["diff_ids"]
        steps = [one for one in config.get("history", ()) if not one.get("empty_layer")]
        if "history" in config and len(steps) != len(diff_ids):
            yield f"{len(steps)} steps of history made {len(diff_ids)} layers"
        if len(layers) != len(diff_ids):
            yield f"there are {len(layers)} layers and {len(diff_ids)} diff_ids"
        for number, (layer, diff_id) in enumerate(zip(layers, diff_ids, strict=False)):
            data = self._blob(layer)
            if data is not None:
                problems = _layer_problems(data, layer["mediaType"], diff_id)
                yield from (f"layer {number}: {problem}" for problem in problems)


def _schema_problems(what: str, document: Any, schema: dict[str, Any]) -> Iterator[str]:
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    for error in validator.iter_errors(document):
        where = "/".join(str(part) for part in error.instance_path)
        yield f"{what}: {where or '.'}: {error.message}"


def _layer_problems(data: bytes, media_type: str, diff_id: str) -> Iterator[str]:
    try:
        tar = unpack(data, media_type)
    except (ValueError, zlib.error, zstandard.ZstdError) as error:
        yield f"it cannot be unpacked as {media_type}: {error}"
        return
    own = f"sha256:{hashlib.sha256(tar).hexdigest()}"
    if own != diff_id:
        yield f"its diff_id is {own}, not {diff_id}"
    seen: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.name.startswith("/") or ".." in parts:
                yield f"{member.name} is not inside (layer.md)"
            if member.name in seen:
                yield f"{member.name} is there twice (layer.md)"
            seen.add(member.name)


def unpack(data: bytes, media_type: str) -> bytes:
    """Return the tar of a layer.

    Raises:
        ValueError: the media type is no layer's.
    """
    if media_type == LAYER:
        return data
    if media_type == f"{LAYER}+gzip":
        return zlib.decompress(data, 31)
    if media_type == f"{LAYER}+zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    raise ValueError("no media type of a layer")
