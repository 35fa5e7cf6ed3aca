from __future__ import annotations

import click
import pytest

from cogworks.cli.container_exec import parse_published
from cogworks.engines.containers.spec import Port


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8888", Port(8888, 8888, "127.0.0.1")),
        ("0.0.0.0:80", Port(80, 80, "0.0.0.0")),
        ("[::1]:80", Port(80, 80, "::1")),
    ],
)
def test_a_port_has_the_same_number_on_both_sides(text: str, port: Port) -> None:
    assert parse_published(text) == port


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "http", "1:2:3", "::1:80", ":80", "[]:80", "80:"]
)
def test_other_words_for_ports_are_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="expected PORT or HOST:PORT"):
        parse_published(text)
