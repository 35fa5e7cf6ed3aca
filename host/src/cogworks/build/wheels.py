"""Bring the wheels of a lock to this machine: several at once, each checked against its hash, each kept once."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from cogworks.build.cache import Cache
from cogworks.build.errors import DownloadError
from cogworks.build.index_credentials import IndexCredentials, without_user_info
from cogworks.build.lock import LockedWheel
from cogworks.build.wheel_set import WheelFile
from cogworks.engines.redact import redact
from cogworks.oci.digest import Digest
from cogworks.registry.sockets import Sockets

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


class Wheelhouse:
    """The wheels of a lock, which come here when they are needed: a build whose layers are known needs none.

    `files` says which there are; `start` begins to bring some, several at once; `bring` waits for them. Whoever is done, or
    gives up, calls `close`.

    Args:
        on_bytes: hears, from several threads, how much was read.
        environment: where `SSL_CERT_FILE` may name the authorities to trust.
    """

    def __init__(
        self,
        cache: Cache,
        wheels: Sequence[LockedWheel],
        credentials: IndexCredentials,
        on_bytes: Callable[[int], None],
        environment: Mapping[str, str],
    ) -> None:
        self._cache, self._wheels = cache, {one.digest: one for one in wheels}
        self._credentials, self._on_bytes = credentials, on_bytes
        self._environment = environment
        self._lock, self._stop, self._sockets = Lock(), Event(), Sockets()
        self._fetching = ExitStack()
        self._pool: ThreadPoolExecutor | None = None
        self._fetcher: _Fetcher | None = None
        self._coming: dict[Digest, Future[None]] = {}

    def files(self) -> list[WheelFile]:
        """Return the wheels with their sizes; few of them are fetched for that, or none.

        Raises:
            DownloadError: a wheel whose size nobody tells cannot be fetched.
        """
        sizes = {digest: self._known_size(one) for digest, one in self._wheels.items()}
        unknown = [one for one in self._wheels.values() if sizes[one.digest] is None]
        if unknown:
            sizes |= self._ask_sizes(unknown)
        return [
            WheelFile(
                *(one.name, one.filename, digest, self._cache.wheel_path(digest)),
                sizes[digest] or 0,
                self,
            )
            for digest, one in self._wheels.items()
        ]

    def start(self, wheels: Sequence[WheelFile]) -> None:
        """Begin to bring some wheels, in this order."""
        self._start([self._wheels[one.digest] for one in wheels])

    def bring(self, wheels: Sequence[WheelFile]) -> None:
        """Wait until some wheels are there, whole and checked.

        Raises:
            DownloadError: a wheel cannot be fetched, or is not what the lock says.
        """
        self.start(wheels)
        self._wait([self._wheels[one.digest] for one in wheels])

    def close(self) -> None:
        """Give up what is still on its way, for good; idempotent."""
        self._stop.set()
        self._sockets.cut()
        self._fetching.close()

    def _known_size(self, wheel: LockedWheel) -> int | None:
        if wheel.size_bytes is not None:
            return wheel.size_bytes
        for path in (wheel.path, self._cache.wheel_path(wheel.digest)):
            with suppress(OSError):
                if path is not None:
                    return path.stat().st_size
        return self._cache.find_wheel_size(wheel.digest)

    def _ask_sizes(self, wheels: Sequence[LockedWheel]) -> dict[Digest, int | None]:
        """Return sizes that the lock does not have: indexes in HTML do not tell them. Which wheels share a layer depends on it."""
        with self._lock:
            pool = self._open_pool()
        asked = {one.digest: pool.submit(self._ask_size, one) for one in wheels}
        sizes = {digest: future.result() for digest, future in asked.items()}
        untold = [one for one in wheels if sizes[one.digest] is None]
        self._start(untold)
        self._wait(untold)
        return sizes | {one.digest: self._known_size(one) for one in untold}

    def _ask_size(self, wheel: LockedWheel) -> int | None:
        size = self._open_fetcher().ask_size(wheel) if wheel.url else None
        if size is not None:
            self._cache.note_wheel(wheel.digest, wheel.filename, size)
        return size

    def _start(self, wheels: Sequence[LockedWheel]) -> None:
        with self._lock:
            for one in wheels:
                if one.digest not in self._coming:
                    self._coming[one.digest] = self._open_pool().submit(self._ensure, one)

    def _wait(self, wheels: Sequence[LockedWheel]) -> None:
        self._check_open()
        with self._lock:
            futures = [self._coming[one.digest] for one in wheels]
        for future in futures:
            future.result()

    def _open_pool(self) -> ThreadPoolExecutor:
        """Return the threads that fetch; the caller holds the lock."""
        self._check_open()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="wheel")
            self._fetching.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        return self._pool

    def _ensure(self, wheel: LockedWheel) -> None:
        path = self._cache.wheel_path(wheel.digest)
        if not self._cache.is_whole(path, wheel.digest):
            self._open_fetcher().fetch(wheel, path)
        self._cache.note_wheel(wheel.digest, wheel.filename, path.stat().st_size)

    def _open_fetcher(self) -> _Fetcher:
        with self._lock:
            if self._fetcher is None:
                self._fetcher = self._new_fetcher()
            return self._fetcher

    def _check_open(self) -> None:
        if self._stop.is_set():
            raise DownloadError("the packages are not needed any more: the build has ended.")

    def _new_fetcher(self) -> _Fetcher:
        # Loaded only where something has to be fetched: it takes longer than all of a build that changes nothing.
        import httpx2

        authorities = self._environment.get("SSL_CERT_FILE") or None
        context = ssl.create_default_context(cafile=authorities)
        client = httpx2.Client(timeout=TIMEOUT_S, follow_redirects=True, verify=context)
        self._fetching.callback(client.close)
        return _Fetcher(
            self._cache, client, self._credentials, self._on_bytes, self._stop, self._sockets
        )


@dataclass(frozen=True, slots=True)
class _Fetcher:
    cache: Cache
    client: httpx2.Client
    credentials: IndexCredentials
    on_bytes: Callable[[int], None]
    stop: Event
    sockets: Sockets

    def fetch(self, wheel: LockedWheel, path: Path) -> None:
        with self.cache.lock(f"wheel-{wheel.digest.hex}"):
            if not self.cache.is_whole(path, wheel.digest):
                self._bring(wheel, path)

    def ask_size(self, wheel: LockedWheel) -> int | None:
        """Return the size that the index tells without sending the wheel; None if it does not."""
        url = wheel.url or ""
        import httpx2

        # Only what is told of the file as it is: packed on the way, it has another size.
        headers = {"Accept-Encoding": "identity"}
        with suppress(httpx2.HTTPError):
            auth = self.credentials.find(url)
            where = without_user_info(url)
            answer = self.client.request(
                "HEAD", where, auth=auth, headers=headers, extensions=self.sockets.extensions
            )
            size = answer.headers.get("content-length", "")
            if answer.status_code == _OK and size.isdigit() and int(size) > 0:
                return int(size)
        return None

    def _bring(self, wheel: LockedWheel, path: Path) -> None:
        reason = ""
        for _ in range(TRIES):
            self._check_open(wheel)
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
                self._check_open(wheel)
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
            where, traced = without_user_info(url), self.sockets.extensions
            with self.client.stream("GET", where, auth=auth, extensions=traced) as response:
                self._check(wheel, response.status_code)
                # Indexes serve wheels as they are; a coding on top would be undone here.
                yield response.iter_bytes(CHUNK_BYTES)
        except httpx2.HTTPError as error:
            raise _Retry(redact(str(error)) or type(error).__name__) from error
        except RuntimeError:
            # That of a client that was closed meanwhile.
            self._check_open(wheel)
            raise

    def _check_open(self, wheel: LockedWheel) -> None:
        if self.stop.is_set():
            raise DownloadError(f"{wheel.filename}: the build has ended.")

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
