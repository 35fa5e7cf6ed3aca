"""The parts as fixtures, for a `conftest.py` to import by name.

    from tests.parts.fixtures import base_reference, debian, docker, real_registry

    __all__ = ["base_reference", "debian", "docker", "real_registry"]

(`base_reference` uses `debian` and `real_registry`.) Each process of tests has its own servers, started when the first test
asks; where a part is missing, its tests are skipped and say why.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

import tests.parts.podman as tools
from cogworks.oci.reference import Reference
from cogworks.registry.client import Client
from tests.parts.base_image import push_base
from tests.parts.base_tree import BaseTree, base_tree
from tests.parts.docker_registry import docker_registry
from tests.parts.dockerd import Docker, dockerd
from tests.parts.engine import Engine
from tests.parts.missing import MissingPart


@contextmanager
def skipping() -> Generator[None]:
    """Skip the test that asks for a part which cannot be had."""
    try:
        yield
    except MissingPart as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def real_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the host of Debian's docker-registry."""
    with skipping(), docker_registry(tmp_path_factory.mktemp("docker-registry")) as host:
        yield host


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """Return a docker of this process's own; images and containers stay in it from test to test."""
    with skipping(), dockerd() as docker:
        yield docker


@pytest.fixture(scope="session")
def podman() -> Iterator[Engine]:
    """Return a podman with storage of this process's own."""
    with skipping(), tools.podman() as podman:
        yield podman


@pytest.fixture(scope="session")
def buildah() -> Iterator[Engine]:
    """Return a buildah with storage of this process's own."""
    with skipping(), tools.buildah() as buildah:
        yield buildah


@pytest.fixture(scope="session")
def skopeo() -> Iterator[Engine]:
    """Return a skopeo."""
    with skipping(), tools.skopeo() as skopeo:
        yield skopeo


@pytest.fixture(scope="session")
def debian() -> BaseTree:
    """Return a Debian with Python 3.11."""
    with skipping():
        return base_tree()


@pytest.fixture(scope="session")
def base_reference(real_registry: str, debian: BaseTree) -> Reference:
    """Return the name of a base with Python 3.11 in the registry, `.../library/python:3.11-slim`."""
    with Client() as client:
        return push_base(client, real_registry, debian)
