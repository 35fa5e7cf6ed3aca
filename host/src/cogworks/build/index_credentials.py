"""User names and passwords of package indexes, from where uv and pip keep them; never shown, never written.

In this order: URLs in uv's and pip's settings and in the requirements, `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD` of
named indexes, then the netrc file. They go to the origin that they were given for and to no other.
"""

from __future__ import annotations

import netrc
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from cogworks.engines.pip_settings import read_pip_settings, uv_variables

_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_USER_INFO = re.compile(r"(?<=://)[^/\s@'\"`]+@")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class IndexCredentials:
    """Credentials by origin: (scheme, host, port)."""

    by_origin: Mapping[tuple[str, str, int], tuple[str, str]] = field(repr=False)
    netrc_path: Path | None = None

    def find(self, url: str) -> tuple[str, str] | None:
        """Return user name and password for a URL, or None."""
        own = _user_info(url)
        if own is not None:
            return own
        found = self.by_origin.get(_origin(url))
        return found or self._from_netrc(urlsplit(url).hostname or "")

    def _from_netrc(self, host: str) -> tuple[str, str] | None:
        if self.netrc_path is None:
            return None
        with suppress(OSError, netrc.NetrcParseError, UnicodeDecodeError):
            found = netrc.netrc(str(self.netrc_path)).authenticators(host)
            if found is not None:
                return found[0], found[2] or ""
        return None


def read_credentials(
    environment: Mapping[str, str], options: Iterable[str] = ()
) -> IndexCredentials:
    """Return the credentials that uv and pip would use.

    Args:
        options: option lines of the requirements, such as `--extra-index-url URL`.
    """
    variables = {**environment, **uv_variables(read_pip_settings(environment), environment)}
    found: dict[tuple[str, str, int], tuple[str, str]] = {}
    texts = [*(variables.get(name, "") for name in _VARIABLES), *options]
    for name, url in _urls(texts):
        pair = _user_info(url) or _named(name, variables)
        if pair is not None:
            found.setdefault(_origin(url), pair)
    home = variables.get("HOME")
    default = Path(home) / ".netrc" if home else None
    chosen = variables.get("NETRC")
    return IndexCredentials(found, Path(chosen) if chosen else default)


def has_password(texts: Iterable[str]) -> bool:
    """Tell whether a URL in the texts has a password or a token in it; `${NAME}` is none."""
    pairs = (_user_info(url) for _, url in _urls(texts))
    return any(part and not part.startswith("$") for pair in pairs if pair for part in pair[1:])


def without_passwords(text: str) -> str:
    """Return a text without the user names and passwords of the URLs in it."""
    return _USER_INFO.sub("", text)


def without_user_info(url: str) -> str:
    """Return a URL without its user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _urls(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (the index's name or nothing, URL)."""
    for text in texts:
        for word in re.split(r"[\s,]+", text):
            name, equals, url = word.partition("=")
            is_named = bool(equals) and "://" not in name and "://" in url
            if is_named:
                yield name, url
            elif "://" in word:
                yield "", word


def _named(name: str, variables: Mapping[str, str]) -> tuple[str, str] | None:
    prefix = f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
    user = variables.get(f"{prefix}_USERNAME")
    password = variables.get(f"{prefix}_PASSWORD")
    has_any = bool(name) and (user is not None or password is not None)
    return (user or "", password or "") if has_any else None


def _user_info(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
