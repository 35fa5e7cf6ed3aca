"""Connect to public addresses alone, so that a client's URL cannot reach what only this machine can.

The address that is checked is the address that is connected to: a name that resolves to another
one the next time, or a redirect, gains nothing. Where a proxy makes the connection, it is the
proxy's to decide.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
from typing import Any, Optional
from urllib.request import HTTPHandler, HTTPSHandler, Request


class PrivateAddressError(OSError):
    """A host's address is not public: loopback, link-local, a private network, metadata services."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(
            f"{host} has the address {address}, which is not public; "
            "COG_ALLOW_PRIVATE_URLS=1 allows such addresses"
        )


_EMBEDDING = tuple(
    map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
)
"""Networks whose last 32 bits are an IPv4 address. Source: RFC 4291, 2.5.5; RFC 6052; RFC 7915."""

_PRIVATE = tuple(map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "fec0::/10")))
"""What ``ipaddress`` does not know for private: translation of one's own, and what came before fd00::/8."""


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet.

    An IPv6 address that stands for an IPv4 one is judged by that one.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = _embedded(parsed)
        if inner is not None:
            return is_public(str(inner))
        if any(parsed in network for network in _PRIVATE):
            return False
    return parsed.is_global and not parsed.is_multicast


def _embedded(address: ipaddress.IPv6Address) -> Optional[ipaddress.IPv4Address]:
    if any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def connect_public(
    address: tuple[str, int], timeout: Any = None, source_address: Optional[tuple[str, int]] = None
) -> socket.socket:
    """Connect like ``socket.create_connection``, but to public addresses only.

    Raises:
        PrivateAddressError: one of the host's addresses is not public; nothing was sent anywhere.
        OSError: none of them can be reached.
    """
    host, port = address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, sockaddr in found:
        if not is_public(str(sockaddr[0])):
            raise PrivateAddressError(host, str(sockaddr[0]))
    error: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, sockaddr in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(timeout)
            if source_address is not None:
                sock.bind(source_address)
            sock.connect(sockaddr)
        except OSError as problem:
            sock.close()
            error = problem
        else:
            return sock
    raise error


class PublicHTTPConnection(http.client.HTTPConnection):
    """A connection that ``connect_public`` makes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect_public


class PublicHTTPSConnection(http.client.HTTPSConnection):
    """The same, with TLS."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect_public


class PublicHTTPHandler(HTTPHandler):
    """Opens http URLs on public addresses."""

    def http_open(self, req: Request) -> http.client.HTTPResponse:
        """Open one."""
        return self.do_open(
            http.client.HTTPConnection if _has_proxy(req) else PublicHTTPConnection, req
        )


class PublicHTTPSHandler(HTTPSHandler):
    """Opens https URLs on public addresses."""

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        """Open one."""
        return self.do_open(
            http.client.HTTPSConnection if _has_proxy(req) else PublicHTTPSConnection, req
        )


def _has_proxy(request: Request) -> bool:
    return request.has_proxy() or getattr(request, "_tunnel_host", None) is not None
