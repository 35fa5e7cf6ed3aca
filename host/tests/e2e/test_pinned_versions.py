"""A model that pins what the server uses itself, years older: it gets exactly that, and the server keeps its own."""

from __future__ import annotations

import json

import httpx2
import pytest

from tests.parts.container import container
from tests.parts.dockerd import Docker

from .conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.network]

PINNED = {
    "click": "7.0",
    "httptools": "0.5.0",
    "msgspec": "0.18.6",
    "pydantic": "1.10.0",
    "rich": "10.16.2",
    "starlette": "0.14.0",
    "uvloop": "0.17.0",
}
"""Packages of the server and the command, and what models often pin."""
SPELLED = {"click": "7", "pydantic": "1.10", "starlette": "0.14"}
"""How their authors spell it."""

CONFIG = """\
build:
  python_version: "3.11"
  python_requirements: requirements.txt
run: run.py:Runner
"""
RUN = f"""\
import sys
from importlib.metadata import version
from typing import Any

import click, httptools, msgspec, pydantic, rich, starlette, uvloop
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> Any:
        versions = {{name: version(name) for name in {sorted(PINNED)}}}
        own = sorted(name for name in sys.modules if name.startswith("cogworks"))
        field = pydantic.BaseModel.__fields__ if pydantic.VERSION[0] == "1" else None
        return {{"versions": versions, "ours": own, "prefix": sys.prefix, "is_one": field is not None}}
"""
SERVERS = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def test_a_model_keeps_its_versions_and_the_server_its_own(desk: Desk, docker: Docker) -> None:
    directory = desk.root / "pinned"
    directory.mkdir()
    (directory / "cog.yaml").write_text(CONFIG)
    (directory / "run.py").write_text(RUN)
    asked = {**PINNED, **SPELLED}
    pins = "".join(f"{name}=={version}\n" for name, version in asked.items())
    (directory / "requirements.txt").write_text(pins)
    image = desk.push(directory)
    docker.run("pull", "--quiet", image)
    with container(docker, image) as server:
        server.wait_until_ready()
        answer = httpx2.post(f"{server.url}/predictions", json={"input": {}}, timeout=60).json()
        servers = json.loads(server.run("/opt/cogworks/bin/python", "-I", "-c", SERVERS))
    assert answer["output"] == {
        "versions": PINNED,
        "ours": [],
        "prefix": "/opt/venv",
        "is_one": True,
    }
    label = '{{index .Config.Labels "run.cog.pip_freeze"}}'
    frozen = docker.run("inspect", "--format", label, image).stdout.split("\n")
    assert {f"{name}=={version}" for name, version in PINNED.items()} <= set(frozen)
    shared = PINNED.keys() & servers.keys()
    assert {"msgspec", "uvloop", "httptools"} <= shared
    assert all(servers[name] != PINNED[name] for name in shared)
