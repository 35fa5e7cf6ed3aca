"""Reading a blob as a stream: a connection that breaks is taken up where it broke, and the whole is checked at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Repository
from cogworks.registry.auth import pull_scope
from cogworks.registry.errors import (
    MismatchError,
    ProtocolError,
    RegistryError,
    UnreachableError,
)
from cogworks.registry.transport import Call, Transport


class BlobReader:
    """Reads one blob."""

    def __init__(
        self, transport: Transport, repository: Repository, blob: Descriptor, url: str
    ) -> None:
        self._transport = transport
        self._repository = repository
        self._blob = blob
        self._url = url

    def read(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes from an offset on.

        Raises:
            MismatchError: at the end; only where the offset is 0.
        """
        at, failures, found = offset, 0, hashlib.sha256()
        while at < self._blob.size_bytes:
            before = at
            try:
                for block in self._read_once(at):
                    at += len(block)
                    found.update(block)
                    yield block
            except RegistryError as error:
                failures = 1 if at > before else failures + 1
                self._transport.patience.wait_after(error, failures)
        self._check(offset, Digest(found.hexdigest()))

    def _read_once(self, offset: int) -> Iterator[bytes]:
        """Yield what one connection gives; less than the whole is an error."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        call = Call(
            "GET",
            self._repository.registry,
            self._url,
            frozenset({pull_scope(self._repository)}),
            headers,
        )
        left = self._blob.size_bytes - offset
        with self._transport.stream(call, expect=(200, 206)) as response:
            # A registry that knows no ranges sends the whole blob: what we have already is dropped.
            skip = offset if response.status_code == 200 else 0
            # As it comes: a fixed block size would drop what came of the last one before a break.
            for received in response.iter_raw():
                block = received[skip:]
                skip = max(0, skip - len(received))
                if len(block) > left:
                    raise ProtocolError(
                        f"{self._what} has more than the {self._blob.size_bytes} bytes of its manifest."
                    )
                left -= len(block)
                if block:
                    yield block
        if left:
            raise UnreachableError("GET", self._url, f"the answer ended {left} bytes too early")

    def _check(self, offset: int, found: Digest) -> None:
        if offset == 0 and found != self._blob.digest:
            raise MismatchError(self._what, self._blob.digest, found)

    @property
    def _what(self) -> str:
        return f"a blob of {self._repository}"
