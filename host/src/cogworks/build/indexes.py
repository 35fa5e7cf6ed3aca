"""Where packages come from, for those who build wheels of sources: for uv as variables, for pip as the text of a file; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

from cogworks.build.index_credentials import IndexCredentials, without_user_info

_WEB = ("http", "https")
_TOKEN = re.compile(r"[!$-\[\]-~][!#-\[\]-~]*")
"""What every reader of netrc files takes as it is: without spaces, quotes, backslashes, and no `#` in front."""
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
"""What uv takes for yes."""


@dataclass(frozen=True, slots=True)
class Indexes:
    """Indexes with their credentials, which only those may see who ask them.

    Attributes:
        variables: of uv, what the requirements say included.
    """

    variables: Mapping[str, str] = field(repr=False)
    credentials: IndexCredentials

    @property
    def urls(self) -> tuple[str, ...]:
        """What is asked over the network, the default first; empty where nothing was said."""
        first = self.variables.get("UV_DEFAULT_INDEX") or self.variables.get("UV_INDEX_URL", "")
        words = (
            first,
            self.variables.get("UV_INDEX", ""),
            self.variables.get("UV_EXTRA_INDEX_URL", ""),
        )
        found = (_url(word) for text in words for word in text.split())
        return tuple(dict.fromkeys(url for url in found if urlsplit(url).scheme in _WEB))

    def netrc(self) -> str:
        """Return the text of a netrc file with the credentials that pip needs; empty if it needs none.

        pip shows the URLs of indexes to programs that it starts, and so to everybody who may list processes. A netrc file
        knows hosts only: where one has several credentials, they stay in the URLs.
        """
        return "".join(self._in_netrc(host) for host in dict.fromkeys(map(_host, self._asked)))

    def _in_netrc(self, host: str) -> str:
        pairs = {self.credentials.find(url) for url in self._asked if _host(url) == host}
        pair = pairs.pop() if len(pairs) == 1 else None
        if pair is None or not all(_TOKEN.fullmatch(one) for one in (host, *pair)):
            return ""
        return f"machine {host} login {pair[0]} password {pair[1]}\n"

    def pip_config(self) -> str:
        """Return the text of a pip.conf; empty where pip's own default serves."""
        lines = list(self._pip_lines())
        return "\n".join(["[global]", *lines, ""]) if lines else ""

    def _pip_lines(self) -> Iterator[str]:
        has_default = any(self.variables.get(one) for one in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"))
        urls = [self._with_credentials(url) for url in self.urls]
        if urls and has_default:
            yield f"index-url = {urls.pop(0)}"
        if urls:
            yield "extra-index-url =" + "".join(f"\n    {url}" for url in urls)
        web = [self._with_credentials(one) for one in self._links]
        if web:
            yield "find-links =" + "".join(f"\n    {url}" for url in web)
        if any(
            self.variables.get(one, "").lower() in _TRUE for one in ("UV_NO_INDEX", "UV_OFFLINE")
        ):
            yield "no-index = true"
        hosts = self.variables.get("UV_INSECURE_HOST", "").split()
        if hosts:
            yield "trusted-host =" + "".join(f"\n    {host}" for host in hosts)

    @property
    def _links(self) -> list[str]:
        links = re.split(r"[\s,]+", self.variables.get("UV_FIND_LINKS", ""))
        return [one for one in links if urlsplit(one).scheme in _WEB]

    @property
    def _asked(self) -> list[str]:
        return [*self.urls, *self._links]

    def _with_credentials(self, url: str) -> str:
        """Return a URL for pip; with its credentials only where a netrc file cannot tell them."""
        pair = self.credentials.find(url)
        if pair is None:
            return url
        if self._in_netrc(_host(url)):
            return without_user_info(url)
        parts = urlsplit(without_user_info(url))
        user = ":".join(quote(one, safe="") for one in pair)
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


def index_variables(options: Sequence[str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return uv's variables that say what option lines of requirements say.

    Args:
        variables: those that there are; more indexes are added to theirs.
    """
    found: dict[str, str] = {}
    for option in options:
        name, _, value = option.replace("=", " ", 1).partition(" ")
        value = value.strip()
        if name in ("-i", "--index-url"):
            found["UV_DEFAULT_INDEX"] = value
        elif name == "--extra-index-url":
            before = found.get("UV_INDEX", variables.get("UV_INDEX", ""))
            found["UV_INDEX"] = f"{before} {value}".strip()
            found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
        elif name in ("-f", "--find-links"):
            before = found.get("UV_FIND_LINKS", variables.get("UV_FIND_LINKS", ""))
            found["UV_FIND_LINKS"] = f"{before},{value}".strip(",")
        elif name == "--no-index":
            found["UV_NO_INDEX"] = "1"
    return found


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _url(word: str) -> str:
    """Return the URL of an index, without the name that uv lets it have: `mine=https://...`."""
    name, equals, url = word.partition("=")
    return url if equals and "://" not in name and "://" in url else word
