"""Bring the wheels of a lock to this machine: several at once, each checked against its hash, each kept once."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.build.cache import Cache
from cogworks.build.errors import DownloadError
from cogworks.build.index_credentials import IndexCredentials, without_user_info
from cogworks.build.lock import LockedWheel
from cogworks.build.wheel_set import WheelFile
from cogworks.engines.redact import redact
from cogworks.oci.digest import Digest

if TYPE_CHECKING:
    import httpx2

PARALLEL = 8
"""Downloads at once; more are slower on a usual line."""
TRIES = 4
TIMEOUT_S = 60.0
"""Without a byte."""
WHEEL_MAX_BYTES = 16 * 1024**3
"""More than this is no wheel; the largest known ones have about 3 GB."""
CHUNK_BYTES = 1024 * 1024
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_OK = 200
_FORBIDDEN = frozenset({401, 403})


class _Retry(Exception):
    """A download that may work the next time."""


def fetch_wheels(
    cache: Cache,
    wheels: Sequence[LockedWheel],
    credentials: IndexCredentials,
    on_bytes: Callable[[int], None],
    environment: Mapping[str, str],
) -> list[WheelFile]:
    """Return the wheels as files of the cache, in their order.

    Args:
        on_bytes: hears, from several threads, how much was read.
        environment: where `SSL_CERT_FILE` may name the authorities to trust.

    Raises:
        DownloadError: a wheel cannot be fetched, or is not what the lock says.
    """
    found = {one.digest: _here(cache, one) for one in wheels}
    missing = [one for one in wheels if found[one.digest] is None]
    if missing:
        found |= _fetch(cache, missing, credentials, on_bytes, environment)
    for one in wheels:
        cache.note_wheel(one.digest, one.filename)
    return [file for one in wheels if (file := found[one.digest]) is not None]


def _here(cache: Cache, wheel: LockedWheel) -> WheelFile | None:
    path = cache.wheel_path(wheel.digest)
    is_there = cache.is_whole(path, wheel.digest)
    return WheelFile(wheel.name, wheel.filename, wheel.digest, path) if is_there else None


def _fetch(
    cache: Cache,
    wheels: Sequence[LockedWheel],
    credentials: IndexCredentials,
    on_bytes: Callable[[int], None],
    environment: Mapping[str, str],
) -> dict[Digest, WheelFile | None]:
    # Loaded only where something has to be fetched: it takes longer than all of a build that changes nothing.
    import httpx2

    authorities = environment.get("SSL_CERT_FILE") or None
    context = ssl.create_default_context(cafile=authorities)
    with httpx2.Client(timeout=TIMEOUT_S, follow_redirects=True, verify=context) as client:
        fetcher = _Fetcher(cache, client, credentials, on_bytes)
        with ThreadPoolExecutor(PARALLEL) as pool:
            futures = {wheel.digest: pool.submit(fetcher.fetch, wheel) for wheel in wheels}
            try:
                return {digest: future.result() for digest, future in futures.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


@dataclass(frozen=True, slots=True)
class _Fetcher:
    cache: Cache
    client: httpx2.Client
    credentials: IndexCredentials
    on_bytes: Callable[[int], None]

    def fetch(self, wheel: LockedWheel) -> WheelFile:
        path = self.cache.wheel_path(wheel.digest)
        found = WheelFile(wheel.name, wheel.filename, wheel.digest, path)
        with self.cache.lock(f"wheel-{wheel.digest.hex}"):
            if not self.cache.is_whole(path, wheel.digest):
                self._bring(wheel, path)
        return found

    def _bring(self, wheel: LockedWheel, path: Path) -> None:
        reason = ""
        for _ in range(TRIES):
            with self.cache.temporary() as temporary:
                try:
                    self._write(wheel, temporary)
                except _Retry as error:
                    reason = str(error)
                    continue
                self.cache.keep(temporary, path, wheel.digest)
                return
        raise DownloadError(
            f"{wheel.filename} cannot be fetched, tried {TRIES} times: {reason}. "
            "Check the network, and build again: what is here already is kept."
        )

    def _write(self, wheel: LockedWheel, temporary: Path) -> None:
        digest, size = hashlib.sha256(), 0
        with temporary.open("xb") as file, self._source(wheel) as chunks:
            for chunk in chunks:
                size += len(chunk)
                if size > WHEEL_MAX_BYTES:
                    raise DownloadError(f"{wheel.filename} has more than {WHEEL_MAX_BYTES} bytes.")
                digest.update(chunk)
                file.write(chunk)
                self.on_bytes(len(chunk))
        if digest.hexdigest() != wheel.digest.hex:
            raise DownloadError(
                f"{wheel.filename} is not what the lock says: its sha256 is {digest.hexdigest()}, expected "
                f"{wheel.digest.hex}. If the index replaced it, lock again; if not, do not trust it."
            )

    @contextmanager
    def _source(self, wheel: LockedWheel) -> Generator[Iterator[bytes]]:
        if wheel.path is not None:
            try:
                with wheel.path.open("rb") as file:
                    yield iter(lambda: file.read(CHUNK_BYTES), b"")
            except FileNotFoundError as error:
                raise DownloadError(f"{wheel.path} is in the lock but not there.") from error
            return
        url = wheel.url or ""
        auth = self.credentials.find(url)
        import httpx2

        try:
            with self.client.stream("GET", without_user_info(url), auth=auth) as response:
                self._check(wheel, response.status_code)
                # Indexes serve wheels as they are; a coding on top would be undone here.
                yield response.iter_bytes(CHUNK_BYTES)
        except httpx2.HTTPError as error:
            raise _Retry(redact(str(error)) or type(error).__name__) from error

    def _check(self, wheel: LockedWheel, status: int) -> None:
        where = without_user_info(wheel.url or "")
        if status in _AGAIN:
            raise _Retry(f"{redact(where)} answered {status}")
        if status in _FORBIDDEN:
            raise DownloadError(
                f"{redact(where)} answered {status}: the index wants other credentials. Give them in the "
                "index's URL in uv's or pip's settings, or in a netrc file."
            )
        if status != _OK:
            raise DownloadError(
                f"{redact(where)} answered {status}: {wheel.filename} is not there."
            )
