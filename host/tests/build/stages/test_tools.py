"""How commands reach the network: as the machine does, for the time of the build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from cogworks.build.base_image import Base
from cogworks.build.cache import Cache
from cogworks.build.stages.tools import StageOptions, Workshop, anonymous_client
from cogworks.oci.layer import Codec
from host.tests.build.bases import Quiet


def workshop(environment: Mapping[str, str], options: StageOptions | None = None) -> Workshop:
    base, cache = cast("Base", None), Cache(Path("nowhere"))
    return Workshop(
        base,
        cache,
        Codec.GZIP,
        Quiet(),
        anonymous_client,
        (),
        options or StageOptions(),
        environment,
    )


def test_without_proxies_the_engines_network_serves() -> None:
    network = workshop({"PATH": "/bin"}).network
    assert (network.is_host, network.proxies) == (False, {})


def test_proxies_are_told_in_both_spellings() -> None:
    network = workshop(
        {"HTTPS_PROXY": "http://me:pw@proxy.example:3128", "no_proxy": "localhost"}
    ).network
    assert network.proxies == {
        "HTTPS_PROXY": "http://me:pw@proxy.example:3128",
        "https_proxy": "http://me:pw@proxy.example:3128",
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
    }
    assert not network.is_host
    assert "pw" not in repr(network)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "localhost:3128", "http://[::1]:1"])
def test_a_proxy_on_loopback_needs_the_machines_own_network(proxy: str) -> None:
    assert workshop({"http_proxy": proxy}).network.is_host


def test_the_machines_network_can_be_asked_for() -> None:
    assert workshop({}, StageOptions(has_host_network=True)).network.is_host


def test_an_odd_proxy_is_the_programs_business() -> None:
    assert not workshop({"HTTP_PROXY": "http://[::"}).network.is_host
