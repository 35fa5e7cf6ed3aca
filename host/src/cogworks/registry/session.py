"""One upload session of a registry: each method is one request, tried once; what to do when is in ``upload``.

The address of a session changes with every answer, and it is always the latest one that is asked next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlencode, urljoin

from cogworks.oci.digest import Digest
from cogworks.oci.reference import Repository
from cogworks.registry.auth import pull_scope, push_scope
from cogworks.registry.client import Client
from cogworks.registry.errors import MismatchError, ProtocolError, RegistryError
from cogworks.registry.transport import Answer, Call

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")


class UploadSession:
    """A place where a registry takes a blob.

    Attributes:
        offset: how many bytes it has, as far as it said.
        chunk_min, chunk_max: what it says about chunks; 0 if it says nothing.
    """

    def __init__(self, client: Client, repository: Repository, answer: Answer) -> None:
        self._transport = client.transport
        self._repository = repository
        self.offset = 0
        self.chunk_min = _number(answer, "oci-chunk-min-length")
        self.chunk_max = _number(answer, "oci-chunk-max-length")
        self._location = _location(answer)

    def put_all(self, digest: Digest, body: Callable[[], Iterable[bytes]], size: int) -> None:
        """Send the whole blob and finish."""
        self._finish(digest, body, size)

    def put_end(self, digest: Digest) -> None:
        """Finish after the last chunk."""
        self._finish(digest, None, 0)

    def patch(self, body: Callable[[], Iterable[bytes]], size: int) -> None:
        """Send a chunk of the given size; ``offset`` is then what the registry says that it has."""
        end = self.offset + size
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{self.offset}-{end - 1}",
        }
        call = self._call("PATCH", self._location, headers, body, size)
        answer = self._transport.request_once(call, expect=(202, 201, 204))
        self._location = _location(answer)
        said = _received(answer)
        self.offset = end if said is None or said > end else said

    def ask(self) -> None:
        """Learn how many bytes the registry has."""
        answer = self._transport.request_once(self._call("GET", self._location), expect=(204, 200))
        self._location = _location(answer) if "location" in answer.headers else self._location
        self.offset = _received(answer) or 0

    def _finish(
        self, digest: Digest, body: Callable[[], Iterable[bytes]] | None, size: int
    ) -> None:
        mark = "&" if "?" in self._location else "?"
        url = f"{self._location}{mark}digest={quote(str(digest), safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        call = self._call("PUT", url, headers, body, size)
        answer = self._transport.request_once(call, expect=(201, 204, 202, 200))
        stored = answer.headers.get("docker-content-digest")
        if stored and stored.startswith("sha256:") and stored != str(digest):
            raise MismatchError("the uploaded blob", digest, Digest(stored.partition(":")[2]))

    def _call(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: Callable[[], Iterable[bytes]] | None = None,
        size: int = 0,
    ) -> Call:
        scopes = frozenset({push_scope(self._repository)})
        return Call(method, self._repository.registry, url, scopes, headers or {}, body, size)


def start_upload(client: Client, repository: Repository) -> UploadSession:
    """Open a session."""
    call = Call(
        "POST",
        repository.registry,
        client.url(repository, "blobs/uploads/"),
        frozenset({push_scope(repository)}),
    )
    answer = client.transport.request_once(call, expect=(202,))
    return UploadSession(client, repository, answer)


def mount(
    client: Client, repository: Repository, digest: Digest, source: Repository
) -> UploadSession | None:
    """Take a blob over from another repository of the same registry.

    Returns:
        None if that worked, else the session that the registry opened instead.
    """
    if source.registry != repository.registry:
        raise ValueError(f"{source} is on another registry than {repository}")
    query = urlencode({"mount": str(digest), "from": source.name})
    call = Call(
        "POST",
        repository.registry,
        f"{client.url(repository, 'blobs/uploads/')}?{query}",
        frozenset({push_scope(repository), pull_scope(source)}),
    )
    answer = client.transport.request_once(call, expect=(201, 202))
    return None if answer.status == 201 else UploadSession(client, repository, answer)


def is_there_now(client: Client, repository: Repository, digest: Digest) -> bool:
    """Return whether the repository says that it has a blob; one try, and trouble means no."""
    url = client.url(repository, f"blobs/{digest}")
    call = Call("HEAD", repository.registry, url, frozenset({push_scope(repository)}))
    try:
        client.transport.request_once(call)
    except RegistryError:
        return False
    return True


def _location(answer: Answer) -> str:
    location = answer.headers.get("location")
    if not location:
        raise ProtocolError(f"{answer.url.partition('?')[0]} answered without a Location.")
    return urljoin(answer.url, location)


def _number(answer: Answer, name: str) -> int:
    text = answer.headers.get(name, "")
    return int(text) if text.isdigit() else 0


def _received(answer: Answer) -> int | None:
    """Return how many bytes a `Range: 0-99` speaks of; None if there is none.

    `0-0` is what registries say of an empty session, too, and it is taken so: a single byte is sent again.
    """
    found = _RANGE.fullmatch(answer.headers.get("range", "").strip())
    if found is None:
        return None
    last = int(found[1])
    return last + 1 if last else 0
