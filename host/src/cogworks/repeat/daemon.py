"""Docker's daemon, asked over its socket: whether it has an image still, and given the code of one that was made again.

To start docker's program takes longer than all of that. Only the usual store of images is known here, whose ids are those of
configurations; whatever is otherwise is left to the long way. Source: Docker's Engine API, "Inspect an image", "Import images".
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cogworks.build.cache import CachedLayer
    from cogworks.repeat.shape import ImageRecord, LoadedRecord

SOCKET = "/var/run/docker.sock"
TIMEOUT_S = 120.0
ANSWER_MAX_BYTES = 16 * 1024 * 1024


class NotLoadedError(Exception):
    """The daemon does not answer, does not have what it had, or does not take what it is given."""


def docker_settings(environ: Mapping[str, str]) -> str:
    """Return where docker's program keeps its settings."""
    home = os.path.join(environ.get("HOME", ""), ".docker")
    return os.path.join(environ.get("DOCKER_CONFIG") or home, "config.json")


def find_socket(environ: Mapping[str, str]) -> str:
    """Return the socket of the daemon that docker's program talks to; nothing if that is not simple to tell."""
    host = environ.get("DOCKER_HOST", "")
    if host:
        return host.removeprefix("unix://") if host.startswith("unix:///") else ""
    try:
        with open(docker_settings(environ), "rb") as file:
            context = json.loads(file.read()).get("currentContext", "")
    except FileNotFoundError:
        context = ""
    except (OSError, ValueError, AttributeError):
        return ""
    context = environ.get("DOCKER_CONTEXT") or context
    return SOCKET if context in ("", "default") else ""


def layers_of(loaded: LoadedRecord) -> tuple[str, ...]:
    """Return the layers of an image that was loaded, lowest first.

    Raises:
        NotLoadedError: its name stands for nothing, or for another one.
    """
    status, data = _ask(loaded["socket"], "GET", f"/images/{loaded['name']}/json")
    try:
        found: dict[str, Any] = json.loads(data)
        if status == 200 and found["Id"] == loaded["id"]:
            return tuple(found["RootFS"]["Layers"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotLoadedError("the daemon's answer is not understood") from error
    raise NotLoadedError(f"{loaded['name']} is not what it was")


def load_again(
    loaded: LoadedRecord, image: ImageRecord, platform: str, layers: Sequence[CachedLayer]
) -> tuple[LoadedRecord, int, int]:
    """Load an image that was made again; return what is loaded then, and how many bytes and layers were sent.

    Args:
        loaded: the one before.
        layers: those that were made again.

    Raises:
        NotLoadedError: it did not work; what was sent does no harm.
    """
    from cogworks.build.load_archive import common_length, load_archive
    from cogworks.oci.manifest import Manifest, parse_document
    from cogworks.oci.platform import parse_platform
    from cogworks.registry.blobs import Blob, BytesBlob

    there = layers_of(loaded)
    manifest = parse_document(image["manifest"].encode())
    assert isinstance(manifest, Manifest)
    now: LoadedRecord = {**loaded, "id": str(manifest.config.digest)}
    if now == loaded:
        return loaded, 0, 0
    count = common_length(json.loads(image["config"])["rootfs"]["diff_ids"], there)
    sent = {one.digest for one in manifest.layers[count:]}
    blobs: dict[Any, Blob] = {one.layer.digest: one.blob for one in layers}
    if not sent <= blobs.keys():
        raise NotLoadedError("the daemon lacks more than the code")
    left_out = {one.digest for one in manifest.layers} - sent
    nothing = BytesBlob(b"")
    blobs = {**dict.fromkeys(left_out, nothing), **blobs}
    blobs[manifest.config.digest] = BytesBlob(image["config"].encode())
    chunks = load_archive(manifest, parse_platform(platform), blobs, loaded["name"], left_out)
    data = b"".join(chunks)
    _ask(loaded["socket"], "POST", "/images/load?quiet=1", data)
    if layers_of(now) != tuple(json.loads(image["config"])["rootfs"]["diff_ids"]):
        raise NotLoadedError("the daemon has other layers")
    return now, len(data), len(sent)


def _ask(path: str, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    # HTTP/1.0, so that the answer ends where the connection ends.
    head = f"{method} {target} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/x-tar\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect(path)
            connection.sendall(request)
            with connection.makefile("rb") as file:
                answer = file.read(ANSWER_MAX_BYTES)
    except OSError as error:
        raise NotLoadedError(f"{path}: {error}") from error
    begin, _, content = answer.partition(b"\r\n\r\n")
    words = begin.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise NotLoadedError("the daemon's answer is not understood")
    return int(words[1]), content
