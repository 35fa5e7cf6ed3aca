"""The flags of docs/deploy.md, on real engines: the server serves under them, and its health check works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ruamel.yaml import YAML

from tests.parts.container import container
from tests.parts.engine import Engine

from .conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.network]

DOCS = Path(__file__).resolve().parents[3] / "docs"
OF_TESTS = {"--detach": 0, "--name": 1, "--publish": 1, "--restart": 1}
"""What tests say themselves, with the number of values behind it."""


def flags() -> list[str]:
    """Return the flags of the page's `docker run` that say how a container is confined."""
    page = (DOCS / "deploy.md").read_text(encoding="utf-8")
    match = re.search(r"docker run (.*?)\n```", page, flags=re.DOTALL)
    assert match is not None
    words = iter(shlex.split(match.group(1).replace("\\\n", " "))[:-1])
    return list(_kept(words))


def _kept(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word in OF_TESTS:
            for _ in range(OF_TESTS[word]):
                next(words)
        else:
            yield word


def health_check() -> list[str]:
    parser: Any = YAML(typ="safe", pure=True)
    service = parser.load(DOCS / "deploy" / "compose.yaml")["services"]["my-model"]
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD"
    return [str(word) for word in command]


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_server_works_under_the_flags_of_the_page(
    name: str, desk: Desk, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(name)
    image = desk.push(desk.copy("hello-world"))
    insecure = ("--tls-verify=false",) if name == "podman" else ()
    engine.run("pull", "--quiet", *insecure, image)
    assert "--read-only" in flags()
    with container(engine, image, flags()) as server:
        server.wait_until_ready()
        server.run(*health_check())
        answer = httpx2.post(f"{server.url}/predictions", json={"input": {"text": "Ada"}})
        assert answer.json()["output"] == "hello Ada"
        assert "read-only" in server.run("sh", "-c", "touch /src/x 2>&1 || true").lower()
        assert server.run("sh", "-c", "cp /bin/true /tmp/x && /tmp/x && echo ran") == "ran\n"
        assert "COG_QUEUE_SIZE=16" in server.run("env").splitlines()
        server.stop()
        assert server.exit_code == 0
