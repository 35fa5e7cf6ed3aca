"""Send an image's last layers to a registry that takes them without further ado: plain HTTP, no credentials.

That is a registry on this machine, or one that is named as insecure. Whatever it answers that is not plain success is left
to the whole client (`client_push`), which knows about credentials, redirects, retries and what to say. What needs not wait for
each other goes over two connections.
Source: OCI distribution-spec v1.1, "Pushing blobs", "Pushing manifests".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from cogworks._version import __version__
from cogworks.repeat.beside import Beside
from cogworks.repeat.image import INDEX_TYPE, MANIFEST_TYPE, digest_of, listing_of
from cogworks.repeat.names import known_blobs
from cogworks.repeat.plain_http import AnswerError, PlainConnection

if TYPE_CHECKING:
    from cogworks.build.cache import CachedLayer
    from cogworks.repeat.shape import ImageRecord, TargetRecord

TIMEOUT_S = 120.0
"""The longest time in which nothing is sent or received."""
_HEADERS = {"User-Agent": f"cogworks/{__version__}", "Accept-Encoding": "identity"}


class NotPlainError(Exception):
    """The registry wants more than can be done here."""


class Ahead:
    """Sends a layer while the image that it is for is still being made.

    Args:
        max_bytes: a layer that is larger is left to others.
    """

    def __init__(self, target: TargetRecord, max_bytes: int) -> None:
        self._target, self._max_bytes = target, max_bytes
        self._sending: dict[str, Beside] = {}

    def send(self, layer: CachedLayer) -> None:
        """Begin to send a layer, unless the repository is known to have it."""
        digest = str(layer.layer.digest)
        is_small = layer.layer.size_bytes <= self._max_bytes
        if is_small and digest not in known_blobs(self._target):
            data = layer.path.read_bytes()
            self._sending[digest] = Beside(lambda: self._put(digest, data))

    def wait(self) -> frozenset[str]:
        """Wait until what was begun is sent; return its digests."""
        for one in self._sending.values():
            one.wait()
        return frozenset(self._sending)

    def _put(self, digest: str, data: bytes) -> None:
        with closing(_Registry(self._target)) as registry:
            registry.put_blob(digest, data)


def push_plainly(
    target: TargetRecord,
    image: ImageRecord,
    blobs: Mapping[str, bytes],
    ahead: Ahead | None = None,
) -> None:
    """Send blobs, then the manifest and, beside it, what belongs to the image.

    Args:
        blobs: digest -> content of all that the repository is not known to have.
        ahead: what sends some of them already.

    Raises:
        NotPlainError: it did not work; what was sent so far does no harm.
    """
    manifest, artifact = image["manifest"].encode(), image["artifact"].encode()
    try:
        with closing(_Registry(target)) as registry:
            sent = ahead.wait() if ahead is not None else frozenset[str]()
            for digest, data in blobs.items():
                if digest not in sent:
                    registry.put_blob(digest, data)
            attaching = Beside(lambda: _attach(target, artifact, digest_of(manifest)))
            try:
                registry.put_manifest(target["tag"], manifest, MANIFEST_TYPE)
            finally:
                attaching.wait()
    except (OSError, AnswerError, ValueError, KeyError, TypeError) as error:
        raise NotPlainError(str(error)) from error


def _attach(target: TargetRecord, artifact: bytes, subject: str) -> None:
    with closing(_Registry(target)) as registry:
        registry.attach(artifact, subject)


class _Registry:
    """One repository over one connection."""

    def __init__(self, target: TargetRecord) -> None:
        self._url, self._repository = target["url"], target["repository"]
        self._connection = PlainConnection(self._url.removeprefix("http://"), TIMEOUT_S)

    def close(self) -> None:
        self._connection.close()

    def put_blob(self, digest: str, data: bytes) -> None:
        _, headers, _ = self._ask("POST", self._path("blobs/uploads/"), (202,))
        where = headers.get("location", "").removeprefix(self._url)
        if not where.startswith("/") or where.startswith("//"):
            raise NotPlainError("the registry leads elsewhere")
        mark = "&" if "?" in where else "?"
        path = f"{where}{mark}digest={digest.replace(':', '%3A')}"
        self._ask("PUT", path, (201,), data, "application/octet-stream")

    def put_manifest(self, name: str, data: bytes, media_type: str) -> dict[str, str]:
        """Store a manifest and return the headers of the answer."""
        path = self._path(f"manifests/{name}")
        _, headers, _ = self._ask("PUT", path, (201,), data, media_type)
        if headers.get("docker-content-digest", digest_of(data)) != digest_of(data):
            raise NotPlainError("the registry has stored something else")
        return headers

    def attach(self, artifact: bytes, subject: str) -> None:
        """Put an artifact beside its image, and into the list of those that are there."""
        digest = digest_of(artifact)
        if "oci-subject" in self.put_manifest(digest, artifact, MANIFEST_TYPE):
            return
        tag = subject.replace(":", "-")
        status, _, listed = self._ask("GET", self._path(f"manifests/{tag}"), (200, 404))
        if status != 200:
            self.put_manifest(tag, listing_of(artifact), INDEX_TYPE)
        elif digest not in {one["digest"] for one in json.loads(listed)["manifests"]}:
            raise NotPlainError("others have attached something, too")

    def _path(self, rest: str) -> str:
        return f"/v2/{self._repository}/{rest}"

    def _ask(
        self,
        method: str,
        path: str,
        expected: tuple[int, ...],
        body: bytes = b"",
        media_type: str = "",
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {**_HEADERS, **({"Content-Type": media_type} if media_type else {})}
        if method == "GET":
            headers["Accept"] = f"{INDEX_TYPE}, {MANIFEST_TYPE}"
        status, found, data = self._connection.ask(method, path, headers, body)
        if status not in expected:
            raise NotPlainError(f"{method} was answered with {status}")
        return status, found, data
