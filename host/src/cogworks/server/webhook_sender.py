"""One attempt to deliver a webhook over HTTP, and what its outcome means.

Kept apart so that a server whose clients use no webhooks never loads an HTTP client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from cogworks.server.signature import message_id, signature_headers
from cogworks.server.webhook_channel import Failure, Target
from cogworks.server.webhook_lanes import MOST_AT_ONCE, MOST_PER_RECEIVER

TEMPORARY = frozenset({429, 500, 502, 503, 504})
"""Statuses after which another attempt makes sense. Source: upstream's list."""

MOST_ANSWER_BYTES = 64 * 1024
"""How much of an answer is read, so that its connection can be used again; nobody looks at it."""

SLOW_TO_SIGN_BYTES = 256 * 1024
"""From here on a thread computes the signature: it takes about a millisecond per MiB."""

_PERMANENT = (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol)


def new_client() -> httpx2.AsyncClient:
    """Return a client for webhooks: it keeps no cookies, and its owner sets all deadlines."""
    return httpx2.AsyncClient(
        timeout=None,
        limits=httpx2.Limits(
            max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_PER_RECEIVER
        ),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class Sender:
    """Posts bodies with the headers that receivers expect.

    ``keys`` sign each message if there are any; ``now`` is the time in seconds since the epoch.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        user_agent: str,
        auth_token: str | None,
        keys: tuple[bytes, ...],
        timeout_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Write the headers that never change; the client remains its owner's."""
        self._client = client
        self._keys = keys
        self._timeout_s = timeout_s
        self._now = now
        self._headers = {
            b"Content-Type": b"application/json",
            b"User-Agent": user_agent.encode(),
            b"Accept": b"*/*",
        }
        if auth_token:
            self._headers[b"Authorization"] = f"Bearer {auth_token}".encode()

    async def post(self, target: Target, body: bytes) -> Failure | None:
        """Make one attempt; return why it failed. No redirect is followed: the receiver is wrong then."""
        status = 0
        try:
            headers = await self._all_headers(target, body)
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(
                    "POST",
                    target.url,
                    content=body,
                    headers=headers,
                    follow_redirects=False,
                    timeout=None,
                ) as response,
            ):
                status = response.status_code
                await _skip_answer(response)
        except TimeoutError:
            if not status:
                return Failure(f"no answer within {self._timeout_s:g} s", is_temporary=True)
        except httpx2.TransportError as error:
            if not status:
                return Failure(_describe(error), not isinstance(error, _PERMANENT))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return Failure(_describe(error), is_temporary=False)
        if 200 <= status < 300:
            return None
        return Failure(f"the receiver answered {status}", status in TEMPORARY)

    async def _all_headers(self, target: Target, body: bytes) -> dict[bytes, bytes]:
        headers = dict(self._headers)
        for name, value in target.trace.items():
            headers[name.encode("latin-1")] = value.encode("latin-1")
        if len(body) < SLOW_TO_SIGN_BYTES:
            self._sign(headers, target, body)
        else:
            await asyncio.to_thread(self._sign, headers, target, body)
        return headers

    def _sign(self, headers: dict[bytes, bytes], target: Target, body: bytes) -> None:
        if self._keys:
            name = message_id(target.prediction_id, body)
            for key, value in signature_headers(self._keys, name, self._now(), body).items():
                headers[key.encode()] = value.encode()


async def _skip_answer(response: httpx2.Response) -> None:
    """Read the answer to its end, unless it is long."""
    size_bytes = 0
    async for chunk in response.aiter_raw():
        size_bytes += len(chunk)
        if size_bytes > MOST_ANSWER_BYTES:
            return


def _describe(error: Exception) -> str:
    """Name what went wrong; a URL, which may hold secrets, is in none of these sentences."""
    return f"{type(error).__name__}: {error}"[:200].removesuffix(": ")
