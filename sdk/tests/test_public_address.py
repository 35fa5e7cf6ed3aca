"""Only public addresses are connected to, whatever leads there."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from cog import public_address
from cog.download import DownloadSettings, open_url
from cog.errors import DownloadError
from cog.public_address import is_public

if TYPE_CHECKING:
    from .conftest import FileServer

CAREFUL = DownloadSettings(allow_private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::7f00:1",
        "2001:0:7f00:1::",
        "fec0::1",
        "::",
    ],
)
def test_addresses_of_this_machine_and_its_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::1.1.1.1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_no_spelling_of_a_private_host_is_fetched(host: str) -> None:
    with pytest.raises(DownloadError):
        open_url(f"http://{host}:9/secret", CAREFUL)


def test_the_refusal_says_what_allows_it(server: FileServer) -> None:
    url = server.serve("/a", b"secret")
    with pytest.raises(DownloadError, match="not public; COG_ALLOW_PRIVATE_URLS=1"):
        open_url(url, CAREFUL)
    assert server.requests == []


def test_a_name_that_resolves_to_a_private_address_is_refused(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(server.serve("/a", b"secret")).port
    found = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)

    def resolve(*arguments: Any, **options: Any) -> Any:
        return found

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(DownloadError, match=r"innocent\.example has the address 127\.0\.0\.1"):
        open_url(f"http://innocent.example:{port}/a", CAREFUL)
    assert server.requests == []


def test_a_redirect_to_a_private_address_is_refused(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve("/secret", b"secret")
    port = urlsplit(server.url).port

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"http://127.0.0.2:{port}/secret")
        handler.end_headers()

    server.answers["/public"] = redirect
    # The test's server stands for a public one; its other address stays what it is.
    monkeypatch.setattr(public_address, "is_public", "127.0.0.1".__eq__)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.2 has the address 127\.0\.0\.2"):
        open_url(f"http://127.0.0.1:{port}/public", CAREFUL)
    assert [path for path, _ in server.requests] == ["/public"]


def test_a_public_address_is_fetched(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.serve("/a", b"fine")
    monkeypatch.setattr(public_address, "is_public", "127.0.0.1".__eq__)
    with open_url(url, CAREFUL) as stream:
        assert stream.read() == b"fine"
