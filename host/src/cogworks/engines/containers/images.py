"""Images that an engine has: looked at, listed, pulled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cogworks.engines.containers.command import ask, run
from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import CommandFailedError, ContainerError, reason

_UNKNOWN = ("no such image", "image not known", "no such object", "not found")
"""How docker and podman say that they do not have an image."""


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image of an engine.

    Attributes:
        id: `sha256:...`; of its configuration, or of its manifest where containerd keeps the images.
        diff_ids: its layers, lowest first.
        platform: such as `linux/amd64`.
    """

    id: str
    diff_ids: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    platform: str = ""


def find_image(engine: ContainerEngine, name: str) -> LocalImage | None:
    """Return an image by its name or ID, if the engine has it; nothing is pulled.

    Raises:
        ContainerError: the engine does not answer.
    """
    arguments = ["image", "inspect", name]
    answer = ask(engine, arguments)
    if answer.code == 0:
        return next(_read(answer.stdout), None)
    if any(text in answer.stderr.lower() for text in _UNKNOWN):
        return None
    raise CommandFailedError(engine.name, arguments, answer.code, reason(answer.stderr))


def list_image_ids(engine: ContainerEngine, label: str = "") -> list[str]:
    """Return the IDs of the images, each once, newest first.

    Args:
        label: only those that have it.
    """
    filters = ["--filter", f"label={label}"] if label else []
    printed = run(engine, ["image", "ls", "--quiet", "--no-trunc", *filters])
    return list(dict.fromkeys(printed.split()))


def find_images(engine: ContainerEngine, ids: Sequence[str]) -> list[LocalImage]:
    """Return images by their IDs; those that have gone meanwhile are missing."""
    if not ids:
        return []
    return list(_read(ask(engine, ["image", "inspect", *ids]).stdout))


def _read(printed: str) -> Iterator[LocalImage]:
    try:
        entries: object = json.loads(printed or "[]")
    except ValueError as error:
        raise ContainerError("the engine's answer about an image is not JSON") from error
    for entry in cast("list[dict[str, Any]]", entries):
        yield LocalImage(
            id=_full_id(str(entry.get("Id", ""))),
            diff_ids=tuple(_part(entry, "RootFS").get("Layers") or ()),
            labels=_part(_part(entry, "Config"), "Labels"),
            platform=_platform(entry),
        )


def _part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object inside another; both engines write null where it is empty."""
    return cast("Mapping[str, Any]", entry.get(name) or {})


def _full_id(text: str) -> str:
    """Return an ID as docker spells it; podman leaves the algorithm out."""
    return text if ":" in text else f"sha256:{text}"


def _platform(entry: Mapping[str, Any]) -> str:
    parts = (entry.get("Os"), entry.get("Architecture"), entry.get("Variant"))
    return "/".join(str(part) for part in parts if part)
