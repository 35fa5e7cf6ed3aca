"""Files from http(s) URLs, with limits on time, size and redirects.

It uses ``urllib``, which is imported when a first file is fetched: models without files start
faster, and nothing has to be installed next to the model's own dependencies.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Optional

from cog._version import __version__
from cog.errors import DownloadError, DownloadTooLargeError

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

DEFAULT_USER_AGENT = f"cogworks/{__version__}"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_MAX_SIZE_BYTES = 10 * 1024**3
DEFAULT_MAX_REDIRECTS = 5

_CHUNK_BYTES = 256 * 1024
# What may stand in a URL as it is (RFC 3986); "%" too, for what is already encoded.
_URL_CHARACTERS = "%/:=&?~#+!$,;'@()*[]"


class DownloadSettings(NamedTuple):
    """How files are downloaded.

    ``timeout_s`` is for connecting and for each wait for bytes; ``allow_private`` lets URLs lead to
    addresses that are not public, which is for machines whose users are the only clients.
    """

    user_agent: str = DEFAULT_USER_AGENT
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_size_bytes: int = DEFAULT_MAX_SIZE_BYTES
    max_redirects: int = DEFAULT_MAX_REDIRECTS
    allow_private: bool = True


_settings = DownloadSettings()


def download_settings() -> DownloadSettings:
    """Return how files are downloaded in this process."""
    return _settings


def configure_downloads(settings: DownloadSettings) -> None:
    """Say how files are downloaded in this process; the worker does so once, at its start."""
    global _settings
    _settings = settings


def set_user_agent(user_agent: str) -> None:
    """Say which ``User-Agent`` downloads send."""
    configure_downloads(_settings._replace(user_agent=user_agent))


def is_http_url(text: str) -> bool:
    """Whether a string is a http or https URL, by its scheme."""
    return text[:8].lower().startswith(("http://", "https://"))


def save_stream(stream: io.BufferedIOBase, name: str, directory: Optional[str] = None) -> str:
    """Write what remains of a stream to a new file ``<random><name>`` and return its path.

    Nothing is left behind if that fails.

    Args:
        directory: where; the system's temporary directory if None.
    """
    import tempfile

    # Not mkstemp: where a cancel comes between the making of a file and its return, nobody knows its name.
    path = os.path.join(directory or tempfile.gettempdir(), os.urandom(8).hex() + name)
    try:
        with open(path, "xb", opener=_open_private) as file:
            while True:
                chunk = stream.read(_CHUNK_BYTES)
                if not chunk:
                    return path
                file.write(chunk)
    except BaseException:  # a canceled prediction must not fill the disk either
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        raise


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def open_url(url: str, settings: Optional[DownloadSettings] = None) -> io.BufferedReader:
    """Open a http(s) URL for reading; the caller closes it.

    Raises:
        DownloadError: it cannot be reached or does not answer with 2xx. Reading raises it too,
            when the connection breaks, stalls or ends early.
        DownloadTooLargeError: there is more than ``max_size_bytes``.
    """
    import http.client
    import urllib.error

    settings = settings or _settings
    try:
        response = _opener(settings).open(_request(url, settings), timeout=settings.timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(url, f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise DownloadError(url, _reason(error.reason, settings)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(url, _reason(error, settings)) from error
    return io.BufferedReader(_Body(response, url, settings), _CHUNK_BYTES)


def _opener(settings: DownloadSettings) -> OpenerDirector:
    """Make an opener of http and https alone: a redirect must not lead to a local file or to ftp."""
    from urllib import request

    class Redirects(request.HTTPRedirectHandler):
        max_redirections = settings.max_redirects

        def redirect_request(
            self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
        ) -> Optional[Request]:
            # 308 is 307 for a GET; before Python 3.11 only the latter is known.
            code = 307 if code == 308 else code
            return super().redirect_request(req, fp, code, msg, headers, newurl)

        http_error_308 = request.HTTPRedirectHandler.http_error_302

    web: tuple[request.BaseHandler, ...] = (request.HTTPHandler(), request.HTTPSHandler())
    if not settings.allow_private:
        from cog.public_address import PublicHTTPHandler, PublicHTTPSHandler

        web = (PublicHTTPHandler(), PublicHTTPSHandler())
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.UnknownHandler(),
        *web,
        request.HTTPDefaultErrorHandler(),
        Redirects(),
        request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _request(url: str, settings: DownloadSettings) -> Request:
    """Make the request; a user and a password in the URL become the header they stand for."""
    import base64
    from urllib.parse import quote, unquote, urlsplit
    from urllib.request import Request

    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    if not host.isascii():
        name, colon, port = host.partition(":")
        host = name.encode("idna").decode("ascii") + colon + port
    request = Request(
        quote(parts._replace(netloc=host).geturl(), safe=_URL_CHARACTERS),
        headers={"User-Agent": settings.user_agent},
    )
    if login:
        token = base64.b64encode(unquote(login).encode()).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _reason(error: object, settings: DownloadSettings) -> str:
    """Say in words why a connection failed."""
    import socket

    if isinstance(error, (socket.timeout, TimeoutError)):
        return f"no answer within {settings.timeout_s:g} s"
    return str(error) or type(error).__name__


class _Body(io.RawIOBase):
    """The body of a response: counted, and never silently shorter than announced."""

    def __init__(self, response: Any, url: str, settings: DownloadSettings) -> None:
        self._response = response
        self._url = url
        self._settings = settings
        self._seen_bytes = 0
        self._announced_bytes = _content_length(response)
        if (self._announced_bytes or 0) > settings.max_size_bytes:
            response.close()
            raise self._too_large()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = self._guarded(lambda: self._response.readinto(buffer))
        self._seen_bytes += count
        if self._seen_bytes > self._settings.max_size_bytes:
            raise self._too_large()
        if not count and len(buffer) and self._seen_bytes < (self._announced_bytes or 0):
            raise DownloadError(
                self._url,
                f"the connection ended after {self._seen_bytes} of {self._announced_bytes} bytes",
            )
        return count

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()

    def _guarded(self, read: Callable[[], int]) -> int:
        import http.client

        try:
            return read()
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(self._url, _reason(error, self._settings)) from error

    def _too_large(self) -> DownloadTooLargeError:
        limit = self._settings.max_size_bytes
        return DownloadTooLargeError(self._url, f"it is larger than the limit of {limit} bytes")


def _content_length(response: Any) -> Optional[int]:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None
