"""One output file to its receiver over HTTP: streamed from disk, tried again where that may help.

Kept apart so that a server without an upload URL never loads an HTTP client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpx2

from cogworks.server.media import media_type_of_file
from cogworks.server.outputs import OutputFileError

TRIES = 3
WAITS_S = (0.5, 2.0)
"""Before the second and the third try."""

CONNECT_S = 10.0
STEP_S = 60.0
"""How long a receiver may take for its next step: to read some more, or to answer."""

MAX_REDIRECTS = 5
CHUNK_BYTES = 1024 * 1024

MOST_AT_ONCE = 256
"""Connections; each prediction uses one. See ``dispatch.MAX_DELIVERIES``."""

_TEMPORARY = frozenset({408, 429})
_SAME_AGAIN = frozenset({301, 302, 307, 308})
_PERMANENT = (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol)


class _AttemptError(Exception):
    """One try has failed."""

    def __init__(self, reason: str, *, is_temporary: bool) -> None:
        super().__init__(reason)
        self.is_temporary = is_temporary


class UploadSender:
    """Puts files below one URL."""

    def __init__(self, url: str, user_agent: str) -> None:
        """Prepare; nothing is connected yet."""
        self._url = url
        self._user_agent = user_agent
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(STEP_S, connect=CONNECT_S, pool=None),
            limits=httpx2.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=8),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def send(self, path: Path, name: str, headers: Mapping[str, str]) -> str:
        """Send a file; return the URL that clients find it at.

        Raises:
            OutputFileError: it cannot be read, or the receiver does not take it.
        """
        try:
            media_type = await asyncio.to_thread(media_type_of_file, path, name)
            size_bytes = (await asyncio.to_thread(path.stat)).st_size
        except OSError as error:
            raise OutputFileError(f"an output file cannot be read: {error}") from error
        all_headers = {
            **headers,
            "Content-Type": media_type,
            "Content-Length": str(size_bytes),
            "User-Agent": self._user_agent,
        }
        for number in range(TRIES):
            try:
                return await self._try(path, target_url(self._url, name), all_headers)
            except _AttemptError as error:
                if not error.is_temporary or number == TRIES - 1:
                    tries = f" ({number + 1} tries)" if number else ""
                    raise OutputFileError(
                        f"the output file {name} cannot be uploaded: {error}{tries}"
                    ) from error
                await asyncio.sleep(WAITS_S[number])
        raise AssertionError  # The last try returns or raises.

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _try(self, path: Path, url: str, headers: dict[str, str]) -> str:
        """Send once, and once more to wherever a receiver points."""
        for _ in range(MAX_REDIRECTS + 1):
            status, location = await self._put(path, url, headers)
            target = urljoin(url, location)
            if status in _SAME_AGAIN and location:
                url = target
            elif 200 <= status < 300 or (status == 303 and location):
                return public_url(target)
            else:
                is_temporary = status in _TEMPORARY or status >= 500
                raise _AttemptError(f"the receiver answered {status}", is_temporary=is_temporary)
        raise _AttemptError(f"more than {MAX_REDIRECTS} redirects", is_temporary=False)

    async def _put(self, path: Path, url: str, headers: dict[str, str]) -> tuple[int, str]:
        """Return the status and where the receiver says that the file is."""
        try:
            async with self._client.stream(
                "PUT", url, content=_chunks(path), headers=headers, follow_redirects=False
            ) as response:
                return response.status_code, response.headers.get("location", "")
        except httpx2.TransportError as error:
            # Their words hold no URL, which may have secrets.
            reason = f"{type(error).__name__}: {error}"[:200].removesuffix(": ")
            is_temporary = not isinstance(error, _PERMANENT)
            raise _AttemptError(reason, is_temporary=is_temporary) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _AttemptError(type(error).__name__, is_temporary=False) from error
        except OSError as error:
            raise _AttemptError(str(error), is_temporary=False) from error


def target_url(base: str, name: str) -> str:
    """Return the URL of a file below ``base``, whose query stays."""
    parts = urlsplit(base)
    path = parts.path.removesuffix("/") + "/" + quote(name, safe="")
    return urlunsplit(parts._replace(path=path, fragment=""))


def public_url(url: str) -> str:
    """Return a URL without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        await asyncio.to_thread(file.close)
