"""User names and passwords of package indexes, from where uv and pip keep them; never shown, never written.

In this order: URLs in uv's and pip's settings and in the requirements, `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD` of
named indexes, then the netrc file. They go to the origin that they were given for and to no other; those of a git
repository go to that repository only.
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
_USER_INFO = re.compile(r"(?<!ssh://)(?<=://)[^/\s@'\"`]+@")
_SSH_PASSWORD = re.compile(r"(?<=ssh://)([^/\s@:'\"`]+):[^/\s@'\"`]*(?=@)")
"""With ssh, a user is no secret: `git@` has to stay."""
_GIT = "git+"
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""What pip and uv replace in requirements by the variable of that name."""
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

    def find_of_git(self, repository: str) -> tuple[str, str] | None:
        """Return user name and password for the URL of a git repository, or None."""
        is_web = urlsplit(repository).scheme in _PORTS
        return self.find(f"{_GIT}{repository}") if is_web else None

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
        options: lines of the requirements, such as `--extra-index-url URL`; `${NAME}` in them is that variable.
    """
    variables = {**environment, **uv_variables(read_pip_settings(environment), environment)}
    found: dict[tuple[str, str, int], tuple[str, str]] = {}
    expanded = (expand_variables(option, environment) for option in options)
    texts = [*(variables.get(name, "") for name in _VARIABLES), *expanded]
    for name, url in _urls(texts):
        pair = _user_info(url) or _named(name, variables)
        if pair is not None:
            found.setdefault(_origin(url), pair)
    home = variables.get("HOME")
    default = Path(home) / ".netrc" if home else None
    chosen = variables.get("NETRC")
    return IndexCredentials(found, Path(chosen) if chosen else default)


def expand_variables(text: str, environment: Mapping[str, str]) -> str:
    """Return a line of requirements with the values of the variables that it names, as pip and uv read it."""
    return _VARIABLE.sub(lambda match: environment.get(match[1]) or match[0], text)


def has_password(texts: Iterable[str]) -> bool:
    """Tell whether a URL in the texts has a password or a token in it; `${NAME}` is none."""
    pairs = (_user_info(url) for _, url in _urls(texts) if "ssh" not in urlsplit(url).scheme)
    # GitHub and others take a token in the place of the user's name.
    secrets = (password or user for user, password in filter(None, pairs))
    return any(one not in ("", "git") and not one.startswith("$") for one in secrets)


def without_passwords(text: str) -> str:
    """Return a text without the user names and passwords of the URLs in it."""
    return _SSH_PASSWORD.sub(r"\1", _USER_INFO.sub("", text))


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
    place = parts.hostname or ""
    if parts.scheme.startswith(_GIT):
        # Two repositories of one host may want different tokens.
        place += parts.path.partition("@")[0].removesuffix(".git")
    return parts.scheme, place, parts.port or _PORTS.get(parts.scheme, 0)
