from __future__ import annotations

import socket

import pytest

from cogworks.cli.container_serve import Serving, _check_address, _command, _warn_of_places
from cogworks.cli.state import State
from cogworks.engines.containers.engine import PODMAN, ContainerEngine
from cogworks.server.serve import AddressError

SERVING = Serving("127.0.0.1", 8393, None, None, False, 300)


def test_the_server_in_the_container_gets_the_options_that_concern_it() -> None:
    plain = ("python", "-m", "cog.server.http", "--no-announce")
    assert _command(SERVING) == plain
    full = Serving("127.0.0.1", 1, "sqlite:///s.db", "http://host.docker.internal:1", True, 1)
    assert _command(full)[len(plain) :] == (
        *("--store", "sqlite:///s.db", "--upload-url", "http://host.docker.internal:1"),
        "--reload-on-hangup",
    )


def test_an_address_that_is_taken_is_found_out_in_advance() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"cannot listen on 127.0.0.1:{port}"):
            _check_address("127.0.0.1", port)
    _check_address("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("url", "is_told"),
    [("http://localhost:9", True), ("http://host.docker.internal:9", False), (None, False)],
)
def test_an_upload_url_that_means_the_container_itself_is_told(
    url: str | None, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    podman = ContainerEngine(PODMAN, "/bin/false", {}, server=PODMAN)
    serving = Serving("127.0.0.1", 0, None, url, False, 300)
    _warn_of_places(podman, serving, State({}))
    told = "this machine is host.docker.internal" in capsys.readouterr().err
    assert told == is_told
