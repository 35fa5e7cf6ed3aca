"""Docker and podman, real ones, each with a Debian that has Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cogworks.build.load import Loadable, load
from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine
from cogworks.engines.containers.find import require_engine
from cogworks.oci.image import parse_config
from tests.parts.base_image import base_image
from tests.parts.base_tree import BaseTree
from tests.parts.engine import Engine
from tests.parts.fixtures import debian, docker, podman

__all__ = ["debian", "docker", "podman"]

DEBIAN = "debian-with-python:latest"


@pytest.fixture(params=[DOCKER, PODMAN])
def engine(request: pytest.FixtureRequest, debian: BaseTree) -> Iterator[ContainerEngine]:
    """Return each engine; it has the image ``DEBIAN``, and no container before and after."""
    part: Engine = request.getfixturevalue(request.param)
    engine = require_engine(part.environment, [request.param])
    image = base_image(debian)
    config = next(
        parse_config(b"".join(blob.open()))
        for digest, blob in image.blobs.items()
        if digest == image.manifest.config.digest
    )
    load(engine, Loadable(config, image.manifest, image.blobs), DEBIAN)
    yield engine
    left = part.run("ps", "--all", "--quiet").stdout.split()
    for container in left:
        part.remove(container)
    assert left == []
