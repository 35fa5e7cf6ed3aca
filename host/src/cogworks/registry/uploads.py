"""Several uploads at once; the first error ends them all, and nothing runs on after the `with`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from types import TracebackType
from typing import Self

from cogworks.oci.digest import Digest
from cogworks.oci.reference import Repository
from cogworks.registry.blobs import Blob
from cogworks.registry.client import Client
from cogworks.registry.upload import (
    BlobProgress,
    Outcome,
    StoppedError,
    UploadRules,
    upload_blob,
)

JOBS = 4
"""Uploads at once; more gain nothing, and registries begin to refuse them."""


class Uploads:
    """Uploads of one repository: `with Uploads(...) as uploads: uploads.submit(blob)`; an upload starts at once.

    ``on_progress`` of the rules is called from several threads, but never from two at the same time.
    """

    def __init__(
        self,
        client: Client,
        repository: Repository,
        rules: UploadRules | None = None,
        jobs: int = JOBS,
    ) -> None:
        self._client = client
        self._repository = repository
        self._stop = threading.Event()
        self._progress_lock = threading.Lock()
        self._on_progress = (rules or UploadRules()).on_progress
        self._rules = replace(rules or UploadRules(), on_progress=self._tell, stop=self._stop)
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="upload")
        self._futures: dict[Digest, Future[Outcome]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self.stop_soon()
            if error is not None and not isinstance(error, Exception):
                # Ctrl-C: nobody waits for a registry that is silent.
                self._client.cut()
            self._threads.shutdown(wait=True, cancel_futures=True)

    def submit(self, blob: Blob, mount_from: Sequence[Repository] = ()) -> None:
        """Upload a blob soon; one that was submitted before is not uploaded again."""
        if blob.digest not in self._futures:
            self._futures[blob.digest] = self._threads.submit(self._upload, blob, mount_from)

    def wait(self) -> dict[Digest, Outcome]:
        """Wait for all that was submitted and say how each got there.

        Raises:
            RegistryError: the first error; the other uploads are stopped.
        """
        futures = list(self._futures.values())
        wait_for(futures, return_when="FIRST_EXCEPTION")
        self.raise_failure()
        return {digest: future.result() for digest, future in self._futures.items()}

    def raise_failure(self) -> None:
        """Raise the first error that there is so far, if there is one; does not wait."""
        for future in self._futures.values():
            error = future.exception() if future.done() else None
            if error is not None and not isinstance(error, StoppedError):
                raise error

    def stop_soon(self) -> None:
        """Let what is under way end at its next block, with ``StoppedError``; does not wait."""
        self._stop.set()

    def _upload(self, blob: Blob, mount_from: Sequence[Repository]) -> Outcome:
        if self._stop.is_set():
            raise StoppedError("the upload was stopped.")
        try:
            return upload_blob(self._client, self._repository, blob, mount_from, self._rules)
        except BaseException:
            self._stop.set()
            raise

    def _tell(self, event: BlobProgress) -> None:
        if self._on_progress is not None:
            with self._progress_lock:
                self._on_progress(event)
