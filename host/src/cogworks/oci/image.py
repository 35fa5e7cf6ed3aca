"""An image's configuration: what it runs, on what, and which layers it is made of.

The image's ID is the digest of this document's canonical bytes, so whatever is in it must be reproducible. Fields that
we have no word for (`Healthcheck`, `OnBuild`, ...) are kept from a base as they came.
Source: OCI image-spec v1.1, "Image Configuration".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.documents import Json, Object, Reader, canonical_json, parse_object
from cogworks.oci.layer import Layer
from cogworks.oci.manifest import OCI_CONFIG, Descriptor
from cogworks.oci.platform import Platform, normalized

CONFIG_MAX_BYTES = 8 * 1024 * 1024
"""More than this is no configuration; schemas and lock files in labels are far below it."""

_RUN_FIELDS = frozenset(
    {
        *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd"),
        *("Volumes", "WorkingDir", "Labels", "StopSignal"),
    }
)
_FIELDS = frozenset(
    {
        *("architecture", "os", "variant", "created", "author"),
        *("config", "rootfs", "history"),
    }
)


@dataclass(frozen=True, slots=True)
class History:
    """How one layer came to be; ``empty_layer`` marks a step that changed the configuration only."""

    created_by: str = ""
    created: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return it as the document spells it."""
        fields: dict[str, Json] = {
            "created": self.created,
            "created_by": self.created_by,
            "author": self.author,
            "comment": self.comment,
            "empty_layer": self.empty_layer,
        }
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How a container of the image is started; ``env`` keeps its order."""

    env: Mapping[str, str] = field(default_factory=dict[str, str])
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    other: Object = field(default_factory=dict[str, Json])

    def to_json(self) -> dict[str, Json]:
        """Return it as the document spells it."""
        fields: dict[str, Json] = {
            **self.other,
            "User": self.user,
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.cmd),
            "Volumes": {path: {} for path in self.volumes},
            "WorkingDir": self.working_dir,
            "Labels": self.labels,
            "StopSignal": self.stop_signal,
        }
        return {name: value for name, value in fields.items() if value or name in self.other}


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The whole configuration; ``diff_ids`` lowest first."""

    platform: Platform
    run: RunConfig = field(default_factory=RunConfig)
    diff_ids: tuple[Digest, ...] = ()
    history: tuple[History, ...] = ()
    created: str = ""
    author: str = ""
    other: Object = field(default_factory=dict[str, Json])

    def with_layers(self, layers: Sequence[Layer], history: Sequence[History]) -> ImageConfig:
        """Return the configuration with layers on top.

        Args:
            history: one entry a layer, and entries with ``empty_layer`` wherever they belong.
        """
        steps = sum(1 for entry in history if not entry.empty_layer)
        if steps != len(layers):
            raise ValueError(f"{len(layers)} layers have {steps} steps of history")
        return replace(
            self,
            diff_ids=(*self.diff_ids, *(layer.diff_id for layer in layers)),
            history=(*self.history, *history),
        )

    def to_bytes(self) -> bytes:
        """Return the canonical document; its digest is the image's ID."""
        fields: dict[str, Json] = {
            **self.other,
            "created": self.created,
            "author": self.author,
            "architecture": self.platform.architecture,
            "os": self.platform.os,
            "variant": self.platform.variant,
            "config": self.run.to_json(),
            "history": [entry.to_json() for entry in self.history],
        }
        written = {name: value for name, value in fields.items() if value or name in self.other}
        written["rootfs"] = {"type": "layers", "diff_ids": [str(one) for one in self.diff_ids]}
        return canonical_json(written)

    @property
    def image_id(self) -> Digest:
        """The digest of the canonical document."""
        return digest_of(self.to_bytes())

    @property
    def descriptor(self) -> Descriptor:
        """How a manifest refers to it."""
        data = self.to_bytes()
        return Descriptor(OCI_CONFIG, digest_of(data), len(data))


def parse_config(data: bytes, *, name: str = "the image's configuration") -> ImageConfig:
    """Return the configuration in the bytes, an OCI one or Docker's.

    Raises:
        DocumentError: it is none; all problems at once.
    """
    reader = Reader(name, parse_object(name, data))
    rootfs = reader.child("rootfs")
    run = reader.child("config")
    config = ImageConfig(
        platform=normalized(
            reader.text("os"), reader.text("architecture"), reader.text("variant", default="")
        ),
        run=RunConfig() if run is None else _read_run(run),
        diff_ids=() if rootfs is None else _read_diff_ids(rootfs),
        history=tuple(_read_history(entry) for entry in reader.children("history")),
        created=reader.text("created", default=""),
        author=reader.text("author", default=""),
        other=_rest(reader.value, _FIELDS),
    )
    if rootfs is None:
        reader.problems.append("rootfs is missing")
    reader.finish()
    return config


def created_text(epoch_s: int) -> str:
    """Return a moment as the configuration spells it: `1970-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_run(reader: Reader) -> RunConfig:
    pairs = (entry.partition("=") for entry in reader.texts("Env"))
    return RunConfig(
        env={key: value for key, _, value in pairs},
        entrypoint=reader.texts("Entrypoint"),
        cmd=reader.texts("Cmd"),
        working_dir=reader.text("WorkingDir", default=""),
        user=reader.text("User", default=""),
        labels=reader.text_map("Labels"),
        exposed_ports=reader.names("ExposedPorts"),
        volumes=reader.names("Volumes"),
        stop_signal=reader.text("StopSignal", default=""),
        other=_rest(reader.value, _RUN_FIELDS),
    )


def _read_diff_ids(reader: Reader) -> tuple[Digest, ...]:
    return tuple(reader.digest(text, "diff_ids") for text in reader.texts("diff_ids"))


def _read_history(reader: Reader) -> History:
    return History(
        created_by=reader.text("created_by", default=""),
        created=reader.text("created", default=""),
        comment=reader.text("comment", default=""),
        author=reader.text("author", default=""),
        empty_layer=reader.flag("empty_layer"),
    )


def _rest(value: Object, known: frozenset[str]) -> Object:
    rest = {key: item for key, item in value.items() if key not in known and item is not None}
    return cast(Object, rest)
