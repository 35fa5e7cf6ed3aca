"""Where the client goes and where it does not, as rules and on the wire."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cogworks.oci.digest import digest_of
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Repository
from cogworks.registry.addresses import Addresses, is_loopback, is_same_origin
from cogworks.registry.auth import Credential
from cogworks.registry.blobs import BytesBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import RefusedAddressError
from cogworks.registry.patience import Patience
from cogworks.registry.upload import upload_blob
from cogworks.testing.registry import FakeRegistry, Fault

HOSTS = {
    "public.example": ["93.184.216.34"],
    "private.example": ["10.0.0.7"],
    "both.example": ["93.184.216.34", "169.254.169.254"],
    "six.example": ["::ffff:192.168.0.1"],
    "corp.example": ["10.0.0.1"],
}
DATA = b"some data"
BLOB = Descriptor("x", digest_of(DATA), len(DATA))


def resolve(host: str) -> Sequence[str]:
    return HOSTS.get(host, [])


ADDRESSES = Addresses(frozenset({"trusted.example:5000", "private-too.example"}), resolve)


@pytest.mark.parametrize(
    ("registry", "url"),
    [
        ("docker.io", "https://registry-1.docker.io"),
        ("r.example", "https://r.example"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("trusted.example:5000", "http://trusted.example:5000"),
        ("trusted.example", "https://trusted.example"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_plain_http_is_for_loopback_and_insecure_registries_only(registry: str, url: str) -> None:
    assert ADDRESSES.base_url(registry) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://public.example/x",
        "https://r.example:8443/x",
        "https://unknown.example/x",
        "http://trusted.example:5000/x",
        "https://8.8.8.8/x",
    ],
)
def test_a_registry_may_send_us_to_public_hosts_and_to_itself(url: str) -> None:
    ADDRESSES.check(url, "https://r.example/v2/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://private.example/x", "private address 10.0.0.7 of another host"),
        ("https://both.example/x", "private address 169.254.169.254"),
        ("https://six.example/x", "private address ::ffff:192.168.0.1"),
        ("https://169.254.169.254/latest", "private address"),
        ("https://127.0.0.1/x", "private address"),
        ("http://localhost:80/x", "localhost"),
        ("http://[::1]/x", "private address"),
        ("https://[::ffff:10.0.0.1]/x", "private address"),
        ("https://0.0.0.0/x", "private address"),
        ("http://public.example/x", "not encrypted"),
        ("http://r.example/x", "not encrypted"),
        ("file:///etc/passwd", "no web address"),
        ("https:///x", "no web address"),
    ],
)
def test_it_may_not_send_us_elsewhere(url: str, why: str) -> None:
    addresses = Addresses(
        resolve=lambda host: ["127.0.0.1"] if host == "localhost" else resolve(host)
    )
    with pytest.raises(RefusedAddressError, match=why):
        addresses.check(url, "https://r.example/v2/")


def test_the_message_says_how_to_allow_it_and_keeps_secrets() -> None:
    with pytest.raises(RefusedAddressError) as caught:
        ADDRESSES.check("http://me:pw@other.example:80/x?sig=pw", "https://r.example/v2/")
    assert "--insecure-registry other.example:80" in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_private_registry_may_have_a_private_token_service() -> None:
    url = "https://private.example/token"
    ADDRESSES.check(url, "https://corp.example/v2/", is_token_service=True)
    for sender, is_token_service in (("public", True), ("corp", False)):
        with pytest.raises(RefusedAddressError):
            ADDRESSES.check(url, f"https://{sender}.example/v2/", is_token_service=is_token_service)


def test_hosts_and_origins_are_told_apart() -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.1.2.3")
    assert not is_loopback("localhost.example")
    assert is_same_origin("https://a/x", "https://a:443/y")
    assert not is_same_origin("https://a/", "http://a/")
    assert not is_same_origin("https://a/", "https://a:8443/")


class Me:
    def find(self, registry: str) -> Credential | None:
        return Credential("me", "secret")


def test_a_blob_may_come_from_another_host_which_gets_no_credentials(patience: Patience) -> None:
    with FakeRegistry({"me": "secret"}) as registry, FakeRegistry() as store:
        store.state.add_blob("s", DATA)
        registry.state.add_blob("m", DATA)
        registry.limits.redirect_blobs_to = f"http://{store.host}/v2/s/blobs/"
        with Client(Me(), patience=patience) as client:
            assert client.read_blob(Repository(registry.host, "m"), BLOB, 100) == DATA
        assert "authorization" in registry.state.seen[-1].headers
        assert [("authorization" in seen.headers) for seen in store.state.seen] == [False]


def test_endless_redirects_end(client: Client, registry: FakeRegistry) -> None:
    registry.state.add_blob("m", DATA)
    registry.limits.redirect_blobs_to = "/v2/m/blobs/"
    with pytest.raises(RefusedAddressError, match="more than 5 redirects"):
        client.read_blob(Repository(registry.host, "m"), BLOB, 100)


@pytest.mark.parametrize(
    "target", ["https://10.1.2.3/x", "https://169.254.169.254/latest/meta-data", "file:///x"]
)
def test_a_redirect_into_a_private_network_is_refused(
    client: Client, registry: FakeRegistry, target: str
) -> None:
    registry.add_fault(Fault(method="GET", status=307, headers={"Location": target}))
    with pytest.raises(RefusedAddressError):
        client.read_blob(Repository(registry.host, "m"), BLOB, 100)


def test_an_upload_is_not_sent_into_a_private_network_either(
    client: Client, registry: FakeRegistry
) -> None:
    where = {"Location": "https://10.1.2.3/upload"}
    registry.add_fault(Fault(method="POST", status=202, headers=where))
    with pytest.raises(RefusedAddressError, match="private address"):
        upload_blob(client, Repository(registry.host, "m"), BytesBlob(DATA))


def test_an_upload_to_another_host_carries_no_credentials(patience: Patience) -> None:
    with FakeRegistry({"me": "secret"}) as registry, FakeRegistry() as store:
        where = {"Location": f"http://{store.host}/upload?signature=s"}
        registry.add_fault(Fault(method="POST", status=202, headers=where))
        store.add_fault(Fault(method="PUT", status=201))
        with Client(Me(), patience=patience) as client:
            upload_blob(client, Repository(registry.host, "m"), BytesBlob(DATA))
        assert ["authorization" in seen.headers for seen in store.state.seen] == [False]
        assert store.state.seen[0].target.startswith("/upload?signature=s&digest=sha256%3A")


def test_a_token_service_in_another_hosts_network_gets_no_password(patience: Patience) -> None:
    with FakeRegistry({"me": "secret"}) as registry:
        registry.access.realm = "http://registry.example/token"
        with Client(Me(), patience=patience) as client, pytest.raises(RefusedAddressError):
            client.list_tags(Repository(registry.host, "m"))
