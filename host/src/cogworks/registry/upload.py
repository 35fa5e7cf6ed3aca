"""Getting one blob into a repository, by the cheapest way that works.

1. The repository has it already: nothing is sent.
2. Another repository of the same registry has it: it is mounted.
3. Up to 96 MiB it is sent in one PUT; above, in chunks, so that a broken connection costs one chunk and not all.

After a failure that may pass (408, 429, 5xx, a broken connection) there are more tries; a chunked upload asks the
registry what it has and goes on from there, or starts over if the session is gone. Progress resets the count of tries.
Source: OCI distribution-spec v1.1, "Pushing blobs".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from cogworks.oci.digest import Digest
from cogworks.oci.reference import Repository
from cogworks.registry.blobs import Blob
from cogworks.registry.client import Client
from cogworks.registry.errors import (
    AnswerError,
    NotFoundError,
    RegistryError,
    SourceChangedError,
    UnreachableError,
)
from cogworks.registry.patience import NEVER, is_passing
from cogworks.registry.session import UploadSession, is_there_now, mount, start_upload

MONOLITHIC_MAX_BYTES = 96 * 1024 * 1024
CHUNK_BYTES = 96 * 1024 * 1024
"""Proxies in front of registries often take 100 MB at once."""


class Outcome(Enum):
    """How a blob got there."""

    EXISTED = "existed"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


@dataclass(frozen=True)
class BlobProgress:
    """So many bytes of a blob are there; the number falls when something must be sent again.

    ``outcome`` is set in the last event of a blob, and only there.
    """

    digest: Digest
    sent_bytes: int
    size_bytes: int
    outcome: Outcome | None = None


ProgressCallback: TypeAlias = Callable[[BlobProgress], object]


class StoppedError(RegistryError):
    """The upload was given up, because another one failed or the user stopped it all."""


@dataclass(frozen=True)
class UploadRules:
    """Sizes, and what to tell whom."""

    monolithic_max_bytes: int = MONOLITHIC_MAX_BYTES
    chunk_bytes: int = CHUNK_BYTES
    on_progress: ProgressCallback | None = None
    stop: threading.Event = NEVER


def upload_blob(
    client: Client,
    repository: Repository,
    blob: Blob,
    mount_from: Sequence[Repository] = (),
    rules: UploadRules | None = None,
) -> Outcome:
    """Make sure that a repository has a blob; return what that took.

    Args:
        mount_from: where the blob may be known to be; those of other registries are passed over.

    Raises:
        RegistryError: it could not be done; nothing is left that counts.
    """
    return _Upload(client, repository, blob, rules or UploadRules()).run(mount_from)


class _Upload:
    """The story of one blob."""

    def __init__(
        self, client: Client, repository: Repository, blob: Blob, rules: UploadRules
    ) -> None:
        self._client = client
        self._repository = repository
        self._blob = blob
        self._rules = rules
        self._session: UploadSession | None = None
        self._is_whole_only = False
        """The registry has refused chunks."""

    def run(self, mount_from: Sequence[Repository]) -> Outcome:
        outcome = self._place(mount_from)
        self._tell(self._blob.size_bytes, outcome)
        return outcome

    def _place(self, mount_from: Sequence[Repository]) -> Outcome:
        if self._client.has_blob(self._repository, self._blob.digest, to_push=True):
            return Outcome.EXISTED
        if self._mount(mount_from):
            return Outcome.MOUNTED
        self._send()
        return Outcome.UPLOADED

    def _mount(self, sources: Sequence[Repository]) -> bool:
        """Try the places where the blob may be; whatever goes wrong there, it can still be sent."""
        for source in dict.fromkeys(sources):
            if source.registry != self._repository.registry or source == self._repository:
                continue
            try:
                self._session = mount(self._client, self._repository, self._blob.digest, source)
            except (AnswerError, UnreachableError):
                continue
            if self._session is None:
                return True
        return False

    def _send(self) -> None:
        failures, reached = 0, 0
        while True:
            try:
                self._step_through()
                return
            except RegistryError as error:
                offset = self._session.offset if self._session else 0
                failures = 1 if offset > reached else failures + 1
                reached = max(reached, offset)
                self._wait_after(error, failures)
                if self._recover(error):
                    return

    def _step_through(self) -> None:
        """Send what is missing, in one request or in several."""
        session = self._session = self._session or start_upload(self._client, self._repository)
        size = self._blob.size_bytes
        chunk = self._chunk_bytes(session)
        if chunk == 0:
            # A session takes one PUT; after a failure there is another one.
            self._session = None
            session.put_all(self._blob.digest, lambda: self._body(0, size), size)
            return
        while session.offset < size:
            start = session.offset
            length = min(chunk, size - start)
            session.patch(self._chunk(start, length), length)
        session.put_end(self._blob.digest)

    def _chunk(self, start: int, length: int) -> Callable[[], Iterable[bytes]]:
        return lambda: self._body(start, start + length)

    def _chunk_bytes(self, session: UploadSession) -> int:
        """Return the size of chunks; 0 if the blob goes in one piece."""
        size, largest = self._blob.size_bytes, session.chunk_max
        is_small = size <= self._rules.monolithic_max_bytes and not 0 < largest < size
        if self._is_whole_only or size == 0 or (is_small and session.offset == 0):
            return 0
        wanted = max(self._rules.chunk_bytes, session.chunk_min)
        return min(wanted, largest) if largest else wanted

    def _wait_after(self, error: RegistryError, failures: int) -> None:
        """Wait before the next try, or raise what cannot be mended."""
        if self._rules.stop.is_set():
            raise error
        patience = self._client.transport.patience
        if is_passing(error) or not self._is_mendable(error) or failures >= patience.tries:
            patience.wait_after(error, failures, self._rules.stop)

    def _is_mendable(self, error: RegistryError) -> bool:
        """Return whether another session, or another way of sending, may help at once."""
        if not isinstance(error, AnswerError):
            return False
        is_session_lost = "BLOB_UPLOAD_UNKNOWN" in error.codes
        is_chunk_refused = self._session is not None and error.status in (400, 404, 405, 416)
        return is_session_lost or is_chunk_refused

    def _recover(self, error: RegistryError) -> bool:
        """Find out what the registry has; return whether that is the whole blob."""
        session, self._session = self._session, None
        was_answer_lost = isinstance(error, UnreachableError)
        if was_answer_lost and is_there_now(self._client, self._repository, self._blob.digest):
            return True
        is_refusal = isinstance(error, AnswerError) and not is_passing(error)
        if session is not None and self._can_go_on(session, is_refusal=is_refusal):
            self._session = session
        elif session is not None and is_refusal and not isinstance(error, NotFoundError):
            # Not a matter of chance, and nothing gained: in one piece, then.
            self._is_whole_only = True
        self._tell(self._session.offset if self._session else 0)
        return False

    def _can_go_on(self, session: UploadSession, *, is_refusal: bool) -> bool:
        """Ask a session what it has; return whether sending the rest to it makes sense."""
        before = session.offset
        try:
            session.ask()
        except RegistryError:
            return False
        is_stuck = is_refusal and session.offset == before
        return 0 < session.offset <= self._blob.size_bytes and not is_stuck

    def _body(self, start: int, end: int) -> Iterator[bytes]:
        """Yield exactly the bytes of a range, and tell the progress."""
        at, size = start, self._blob.size_bytes
        for block in self._blob.open(start):
            if self._rules.stop.is_set():
                raise StoppedError("the upload was stopped.")
            piece = block[: end - at]
            if piece:
                yield piece
                at += len(piece)
                self._tell(at)
            if at == end and end < size:
                return
            if len(piece) < len(block):
                raise self._changed()
        if at < end:
            raise self._changed()

    def _changed(self) -> SourceChangedError:
        return SourceChangedError(
            f"the blob {self._blob.digest} does not have its {self._blob.size_bytes} bytes any more: "
            "it was changed while it was uploaded. Build the image again."
        )

    def _tell(self, sent: int, outcome: Outcome | None = None) -> None:
        if self._rules.on_progress is not None:
            event = BlobProgress(self._blob.digest, sent, self._blob.size_bytes, outcome)
            self._rules.on_progress(event)
