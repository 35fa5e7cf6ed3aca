"""Send an image's last layers to a registry that takes them without further ado: plain HTTP, no credentials.

That is a registry on this machine, or one that is named as insecure. Whatever it answers that is not plain success is left
to the whole client (`client_push`), which knows about credentials, redirects, retries and what to say.
Source: OCI distribution-spec v1.1, "Pushing blobs", "Pushing manifests".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cogworks._version import __version__
from cogworks.repeat.image import INDEX_TYPE, MANIFEST_TYPE, digest_of, listing_of
from cogworks.repeat.plain_http import AnswerError, PlainConnection

if TYPE_CHECKING:
    from cogworks.repeat.shape import ImageRecord, TargetRecord

TIMEOUT_S = 120.0
"""The longest time in which nothing is sent or received."""
_HEADERS = {"User-Agent": f"cogworks/{__version__}", "Accept-Encoding": "identity"}


class NotPlainError(Exception):
    """The registry wants more than can be done here."""


def push_plainly(target: TargetRecord, image: ImageRecord, blobs: Mapping[str, bytes]) -> None:
    """Send blobs, then the manifest, then what belongs beside the image.

    Args:
        blobs: digest -> content of all that the repository is not known to have.

    Raises:
        NotPlainError: it did not work; what was sent so far does no harm.
    """
    registry = _Registry(target["url"], target["repository"])
    try:
        for digest, data in blobs.items():
            registry.put_blob(digest, data)
        manifest, artifact = image["manifest"].encode(), image["artifact"].encode()
        registry.put_manifest(target["tag"], manifest, MANIFEST_TYPE)
        registry.attach(artifact, digest_of(manifest))
    except (OSError, AnswerError, ValueError, KeyError, TypeError) as error:
        raise NotPlainError(str(error)) from error
    finally:
        registry.close()


class _Registry:
    """One repository over one connection."""

    def __init__(self, url: str, repository: str) -> None:
        self._url, self._repository = url, repository
        self._connection = PlainConnection(url.removeprefix("http://"), TIMEOUT_S)

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
