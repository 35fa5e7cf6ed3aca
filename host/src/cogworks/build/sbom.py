"""The bill of materials of an image, as CycloneDX 1.6: its packages, where they are from, and under which licences; pure.

It is made from the lock, and its digest is in a label of the image: so there is no clock in it, no name of a machine, no
address of an index, and not the image's own name or digest. It is written here and not by the library of the format,
because bytes that an image's digest depends on must not change with somebody else's release; a test lets that library
validate them. Source: CycloneDX 1.6, JSON.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from packaging.utils import canonicalize_name

from cogworks._version import __version__
from cogworks.build.licenses import License
from cogworks.oci.digest import Digest
from cogworks.oci.documents import Json, canonical_json

MEDIA_TYPE = "application/vnd.cyclonedx+json"
FILE_NAME = "sbom.cdx.json"
LABEL = "run.cog.sbom"
"""The digest of the document, which is that of the blob in the registry."""
_NAMESPACE = uuid.UUID("6b0f1f0e-3c34-5d1c-9d52-0b7a4a1d6c11")
"""Our own, for serial numbers that are the same for the same content."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of an environment; ``digest`` is that of its wheel."""

    name: str
    version: str
    digest: Digest
    license: License = field(default_factory=License)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that a layer brings; ``digest`` is that of its files."""

    version: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Bill:
    """What an image is made of, as far as its packages go.

    Attributes:
        base: the digest of the base's manifest; what is in the base is not listed.
        model, server: the packages of the two environments.
    """

    base: Digest
    model: Sequence[Package]
    server: Sequence[Package]
    interpreters: Sequence[Interpreter] = ()


def sbom_document(bill: Bill) -> bytes:
    """Return the bill of materials: canonical JSON, the same for the same contents."""
    document = _document(bill)
    serial = uuid.uuid5(_NAMESPACE, canonical_json(document).decode())
    return canonical_json({**document, "serialNumber": f"urn:uuid:{serial}"})


def _document(bill: Bill) -> dict[str, Json]:
    environments = (
        _Environment("model", "model-environment", "", "/opt/venv", bill.model),
        _Environment("server", "prediction-server", __version__, "/opt/cogworks", bill.server),
    )
    interpreters = sorted(bill.interpreters, key=lambda one: one.version)
    components: list[Json] = [_base(bill.base), *map(_interpreter, interpreters)]
    for one in environments:
        components += [one.component, *(one.package(each) for each in one.sorted)]
    below = ["base", *(f"python-{one.version}" for one in interpreters)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"bom-ref": "image", "name": "image", "type": "container"},
            "tools": {
                "components": [
                    {"name": "cogworks", "type": "application", "version": __version__},
                ]
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "image", "dependsOn": [*below, *(one.ref for one in environments)]},
            *({"ref": one.ref, "dependsOn": tuple(one.refs)} for one in environments),
        ],
    }


@dataclass(frozen=True, slots=True)
class _Environment:
    """A group of packages: a component that depends on them, for tools that show only flat lists."""

    ref: str
    name: str
    version: str
    folder: str
    packages: Sequence[Package]

    @property
    def sorted(self) -> list[Package]:
        return sorted(self.packages, key=lambda one: (canonicalize_name(one.name), one.version))

    @property
    def refs(self) -> Iterator[str]:
        return (self._ref(one) for one in self.sorted)

    @property
    def component(self) -> Json:
        version: Mapping[str, Json] = {"version": self.version} if self.version else {}
        return {
            "bom-ref": self.ref,
            "name": self.name,
            "type": "application",
            "properties": [_property("environment", self.folder)],
            **version,
        }

    def package(self, one: Package) -> Json:
        name = canonicalize_name(one.name)
        licenses = list(_licenses(one.license))
        said: Mapping[str, Json] = {"licenses": licenses} if licenses else {}
        return {
            "bom-ref": self._ref(one),
            "name": name,
            "version": one.version,
            "type": "library",
            "purl": f"pkg:pypi/{name}@{quote(one.version, safe='.-_~')}",
            "hashes": [_hash(one.digest)],
            "properties": [_property("environment", self.folder)],
            **said,
        }

    def _ref(self, one: Package) -> str:
        return f"{self.ref}/{canonicalize_name(one.name)}@{one.version}"


def _base(digest: Digest) -> Json:
    # Its name is left out: the same base of a mirror is the same.
    return {
        "bom-ref": "base",
        "name": "base-image",
        "version": str(digest),
        "type": "container",
        "hashes": [_hash(digest)],
    }


def _interpreter(one: Interpreter) -> Json:
    return {
        "bom-ref": f"python-{one.version}",
        "name": "python",
        "version": one.version,
        "type": "application",
        "purl": f"pkg:generic/python@{quote(one.version, safe='.-_~')}",
        "hashes": [_hash(one.digest)],
    }


def _licenses(said: License) -> Iterable[Json]:
    if said.expression:
        yield {"expression": said.expression}
    else:
        # Not looked up in a list of known names, which changes: what the author says.
        yield from ({"license": {"name": name}} for name in said.names)


def _hash(digest: Digest) -> Json:
    return {"alg": "SHA-256", "content": digest.hex}


def _property(name: str, value: str) -> Json:
    return {"name": f"cogworks:{name}", "value": value}
