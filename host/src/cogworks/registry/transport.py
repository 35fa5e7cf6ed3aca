"""One request to a registry: its address, its credentials, redirects, and the answer as an error where it is one.

Tokens are kept for each registry and set of scopes, and renewed before they end or when they are refused. Redirects are
followed for reading only, by hand, because each step must pass the rules of ``addresses``, and credentials go to the
registry's own origin alone.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import httpx2

from cogworks._version import __version__
from cogworks.registry import quiet
from cogworks.registry.addresses import Addresses, is_same_origin
from cogworks.registry.auth import (
    Authorization,
    Challenge,
    Credential,
    Scopes,
    TokenAnswer,
    TokenRequest,
    authorize,
    covers,
    parse_challenges,
)
from cogworks.registry.errors import (
    CredentialsError,
    CutError,
    RefusedAddressError,
    RegistryError,
    Request,
    SourceChangedError,
    UnauthorizedError,
    UnreachableError,
    answer_error,
)
from cogworks.registry.patience import Patience
from cogworks.registry.sockets import Sockets

CONNECT_TIMEOUT_S = 15.0
SILENCE_TIMEOUT_S = 120.0
"""The longest time in which nothing is sent or received; a registry may hash a large blob before it answers."""
REDIRECTS_MAX = 5
ERROR_MAX_BYTES = 64 * 1024
ANSWER_MAX_BYTES = 8 * 1024 * 1024
"""More than this is only ever a blob, and blobs are streamed."""
EARLY_S = 5.0
"""A token that ends within this time is renewed at once."""


class CredentialSource(Protocol):
    """Where credentials come from."""

    def find(self, registry: str) -> Credential | None:
        """Return what is stored for a registry; None if nothing is."""
        ...


class NoCredentials:
    """Knows nobody."""

    def find(self, registry: str) -> Credential | None:
        """Return None."""
        return None


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        registry: whose credentials it may carry.
        url: absolute.
        body: makes the content from its start, so that it can be sent again; ``body_size`` is its length.
    """

    method: str
    registry: str
    url: str
    scopes: Scopes = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Callable[[], Iterable[bytes]] | None = None
    body_size: int = 0


@dataclass(frozen=True)
class Answer:
    """An answer that was read to its end; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass
class _Session:
    """What is known of one registry."""

    challenges: list[Challenge] = field(default_factory=list[Challenge])
    held: list[tuple[Scopes, Authorization, float]] = field(
        default_factory=list[tuple[Scopes, Authorization, float]]
    )
    credential_error: CredentialsError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Transport:
    """Sends calls; may be used by several threads at once."""

    def __init__(
        self,
        credentials: CredentialSource,
        addresses: Addresses,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        quiet.hide_urls()
        self.addresses = addresses
        self.patience = patience
        self._credentials = credentials
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()
        self._clients: dict[str, httpx2.Client] = {}
        self._sockets = Sockets()

    def cut(self) -> None:
        """End all connections, whoever uses them, for good."""
        self._sockets.cut()

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def request(self, call: Call, *, expect: Iterable[int] = (200,)) -> Answer:
        """Return the answer if its status is an expected one, after as many tries as patience allows."""
        stop = self._sockets.stopped
        return self.patience.keep_trying(lambda: self.request_once(call, expect=expect), stop)

    def request_once(self, call: Call, *, expect: Iterable[int] = (200,)) -> Answer:
        """Return the answer if its status is an expected one; one try."""
        with self.stream(call, expect=expect) as response:
            body = _read(response, ANSWER_MAX_BYTES)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body, str(response.url))

    def is_authorized(self, registry: str) -> bool:
        """Return whether a registry has asked for credentials and got them."""
        return bool(self._session(registry).held)

    @contextlib.contextmanager
    def stream(self, call: Call, *, expect: Iterable[int] = (200,)) -> Generator[httpx2.Response]:
        """Yield an answer whose body is still to be read; one try.

        Raises:
            UnreachableError: also while the body is read.
            AnswerError: the status is not an expected one.
        """
        response = self._send_authorized(call)
        with _translated(call), contextlib.closing(response):
            if response.status_code not in expect:
                raise self._error(call, response)
            yield response

    def _error(self, call: Call, response: httpx2.Response) -> RegistryError:
        body = b"" if call.method == "HEAD" else _read(response, ERROR_MAX_BYTES, cut=True)
        url = str(response.url)
        request = Request(call.method, url, call.registry)
        error = answer_error(request, response.status_code, body, response.headers)
        helper = self._session(call.registry).credential_error
        return helper if helper and isinstance(error, UnauthorizedError) else error

    def _send_authorized(self, call: Call) -> httpx2.Response:
        """Send with a token if one is known to be needed; buy one and send again if that is what the answer says."""
        known = self._held(call)
        response = self._follow(call, known)
        if response.status_code != 401 or not self._is_own(call, str(response.url)):
            return response
        challenges = parse_challenges(response.headers.get_list("www-authenticate"))
        session = self._session(call.registry)
        with session.lock:
            if challenges:
                session.challenges = challenges
            session.held = [one for one in session.held if one[1] is not known]
        fresh = self._held(call)
        if fresh is None or fresh is known:
            return response
        self._finish(call, response)
        return self._follow(call, fresh)

    def _held(self, call: Call) -> Authorization | None:
        """Return an authorization that covers a call, a new one if need be; None if none is asked for so far."""
        session = self._session(call.registry)
        with session.lock:
            now = self._clock()
            session.held = [one for one in session.held if one[2] > now + EARLY_S]
            for scopes, authorization, _ in session.held:
                if authorization.life_s is None or covers(scopes, call.scopes):
                    return authorization
            if not session.challenges:
                return None
            bought = self._buy(call, session)
            if bought is not None:
                # One that would end at once is good for this call alone.
                until = now + (float("inf") if bought.life_s is None else bought.life_s)
                session.held.append((call.scopes, bought, until))
            return bought

    def _buy(self, call: Call, session: _Session) -> Authorization | None:
        dance = authorize(
            call.registry, session.challenges, call.scopes, self._credential(call, session)
        )
        try:
            wanted = next(dance)
            while True:
                wanted = dance.send(self._ask_for_token(call, wanted))
        except StopIteration as end:
            result: Authorization | None = end.value
            return result

    def _credential(self, call: Call, session: _Session) -> Credential | None:
        """Return what is stored; a helper that fails matters only if the registry insists."""
        try:
            return self._credentials.find(call.registry)
        except CredentialsError as error:
            session.credential_error = error
            return None

    def _ask_for_token(self, call: Call, wanted: TokenRequest) -> TokenAnswer:
        base = self.addresses.base_url(call.registry)
        self.addresses.check(wanted.url, base, is_token_service=True)

        def ask() -> TokenAnswer:
            headers = {"Authorization": wanted.authorization} if wanted.authorization else {}
            method = "POST" if wanted.form else "GET"
            url = httpx2.URL(wanted.url).copy_merge_params(wanted.query)
            with _translated(Call(method, call.registry, wanted.url)):
                client = self._client(wanted.url)
                request = client.build_request(
                    *(method, url),
                    headers=headers,
                    data=dict(wanted.form) or None,
                    extensions=self._sockets.extensions,
                )
                response = client.send(request, stream=True)
                with contextlib.closing(response):
                    body = _read(response, ANSWER_MAX_BYTES)
            if response.status_code in (408, 429) or response.status_code >= 500:
                asked = Request(method, wanted.url, call.registry)
                raise answer_error(asked, response.status_code, body, response.headers)
            return TokenAnswer(response.status_code, body)

        return self.patience.keep_trying(ask, self._sockets.stopped)

    def _follow(self, call: Call, authorization: Authorization | None) -> httpx2.Response:
        """Send a call, and follow redirects if it reads."""
        url = call.url
        base = self.addresses.base_url(call.registry)
        for _ in range(REDIRECTS_MAX + 1):
            if not is_same_origin(url, base):
                self.addresses.check(url, base)
            response = self._send(call, url, authorization)
            target = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or not target:
                return response
            if call.method not in ("GET", "HEAD"):
                return response
            self._finish(call, response)
            url = urljoin(url, target)
        raise RefusedAddressError(
            f"{call.method} {call.url.partition('?')[0]}: more than {REDIRECTS_MAX} redirects."
        )

    def _send(self, call: Call, url: str, authorization: Authorization | None) -> httpx2.Response:
        headers = dict(call.headers)
        if authorization is not None and self._is_own(call, url):
            headers["Authorization"] = authorization.header
        if call.body is not None:
            headers["Content-Length"] = str(call.body_size)
        elif call.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        with _translated(call):
            content = None if call.body is None else iter(call.body())
            client = self._client(url)
            request = client.build_request(
                *(call.method, url),
                headers=headers,
                content=content,
                extensions=self._sockets.extensions,
            )
            return client.send(request, stream=True)

    def _client(self, url: str) -> httpx2.Client:
        """Return the client for a URL's scheme; reading the system's authorities takes longer than a small push."""
        if self._sockets.stopped.is_set():
            raise CutError("Nothing more is asked: the command ends.")
        scheme = urlsplit(url).scheme
        with self._lock:
            if scheme not in self._clients:
                # Without authorities nobody is trusted: what is plain needs none.
                nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                self._clients[scheme] = httpx2.Client(
                    headers={
                        "User-Agent": f"cogworks/{__version__}",
                        "Accept-Encoding": "identity",
                    },
                    timeout=httpx2.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                    follow_redirects=False,
                    verify=nobody if scheme == "http" else True,
                )
            return self._clients[scheme]

    def _finish(self, call: Call, response: httpx2.Response) -> None:
        """Read a short answer that nobody needs, so that its connection can be used again."""
        with _translated(call), contextlib.closing(response):
            _read(response, ERROR_MAX_BYTES, cut=True)

    def _is_own(self, call: Call, url: str) -> bool:
        return is_same_origin(url, self.addresses.base_url(call.registry))

    def _session(self, registry: str) -> _Session:
        with self._lock:
            return self._sessions.setdefault(registry, _Session())


def _read(response: httpx2.Response, max_bytes: int, *, cut: bool = False) -> bytes:
    """Return the body; more than the limit is an error, or is cut off."""
    blocks: list[bytes] = []
    size = 0
    for block in response.iter_raw():
        blocks.append(block)
        size += len(block)
        if size > max_bytes:
            if cut:
                break
            raise UnreachableError(
                "GET", str(response.url), f"the answer has more than {max_bytes} bytes"
            )
    return b"".join(blocks)


@contextlib.contextmanager
def _translated(call: Call) -> Generator[None]:
    """Turn the errors of the HTTP library into ours."""
    try:
        yield
    except httpx2.LocalProtocolError as error:
        raise SourceChangedError(
            f"{call.method} {call.url.partition('?')[0]}: what was to be sent has changed while it was sent "
            f"({error}). Leave the files alone while they are uploaded."
        ) from error
    except (httpx2.TransportError, httpx2.StreamError) as error:
        raise UnreachableError(call.method, call.url, _why(error)) from error
    except httpx2.InvalidURL as error:
        raise RefusedAddressError(f"a registry sent an address that is none: {error}") from error


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT_S:.0f} s"
    if isinstance(error, httpx2.TimeoutException):
        return f"nothing was heard for {SILENCE_TIMEOUT_S:.0f} s"
    if isinstance(error, httpx2.ConnectError):
        return f"no connection ({error})"
    return f"the connection broke ({str(error) or type(error).__name__})"
