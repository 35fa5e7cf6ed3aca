"""Where we go and where we do not.

Plain HTTP only for loopback and the registries that the user named as insecure. A registry may send us elsewhere (a
redirect, a `Location`, the address of its token service), but never to another host's private address: else a registry
could make this machine ask its own network's services, and cloud metadata, in our name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from cogworks.oci.reference import DEFAULT_REGISTRY
from cogworks.registry.errors import RefusedAddressError, shown_url

Resolve = Callable[[str], Sequence[str]]
_API_HOSTS = {DEFAULT_REGISTRY: "registry-1.docker.io"}


def resolve(host: str) -> Sequence[str]:
    """Return the addresses of a host; none if the name is unknown here (a proxy may know it)."""
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return []


@dataclass(frozen=True)
class Addresses:
    """The rules, with what the user said: ``insecure`` registries are trusted with plain HTTP."""

    insecure: frozenset[str] = frozenset()
    resolve: Resolve = resolve

    def base_url(self, registry: str) -> str:
        """Return `https://host` of a registry, `http://` for loopback and insecure ones."""
        host = _API_HOSTS.get(registry, registry)
        scheme = "http" if self._may_be_plain(f"//{host}") else "https"
        return f"{scheme}://{host}"

    def check(self, url: str, sender: str, *, is_token_service: bool = False) -> None:
        """Refuse a URL that a registry sent us to.

        Args:
            sender: the URL of the registry that did.
            is_token_service: a registry in a private network may have its token service there, too.

        Raises:
            RefusedAddressError: plain HTTP to a host where that is not allowed, or another host's private address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedAddressError(
                f"{shown_url(sender)} leads to {shown_url(url)!r}, which is no web address."
            )
        if parts.scheme == "http" and not self._may_be_plain(url):
            raise RefusedAddressError(
                f"{shown_url(sender)} leads to {shown_url(url)}, which is not encrypted. "
                f"If you trust it, allow it: --insecure-registry {parts.netloc.rpartition('@')[2]}"
            )
        if not (is_token_service and self._private(urlsplit(sender).hostname or "")):
            self._check_private(url, sender)

    def _check_private(self, url: str, sender: str) -> None:
        host, origin = urlsplit(url).hostname or "", urlsplit(sender).hostname or ""
        both_local = is_loopback(host) and is_loopback(origin)
        if host == origin or both_local or self._is_insecure(url):
            return
        private = self._private(host)
        if private:
            raise RefusedAddressError(
                f"{shown_url(sender)} leads to {host}, which is the private address {private[0]} of "
                f"another host. If you trust it, allow it: --insecure-registry {host}"
            )

    def _private(self, host: str) -> Sequence[str]:
        """Return those addresses of a host that the internet does not have."""
        addresses = [host] if _parsed(host) else self.resolve(host)
        return [text for text in addresses if not _is_public(text)]

    def _may_be_plain(self, url: str) -> bool:
        return is_loopback(urlsplit(url).hostname or "") or self._is_insecure(url)

    def _is_insecure(self, url: str) -> bool:
        parts = urlsplit(url)
        return bool({parts.netloc.rpartition("@")[2], parts.hostname} & self.insecure)


def is_loopback(host: str) -> bool:
    """Return whether a host, without port, is this machine by its very name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _parsed(host.strip("[]"))
    return address is not None and address.is_loopback


def is_same_origin(one: str, other: str) -> bool:
    """Return whether two URLs have the same scheme, host and port; only then credentials may go along."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _is_public(text: str) -> bool:
    address = _parsed(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and address.is_global
