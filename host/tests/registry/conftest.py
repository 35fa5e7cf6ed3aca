"""Registries to talk to: the fake one, and Debian's where it is installed; and clients that do not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cogworks.registry.client import Client
from cogworks.registry.patience import Patience
from cogworks.testing.registry import FakeRegistry
from tests.parts.fixtures import real_registry

__all__ = ["real_registry"]


@pytest.fixture
def waits() -> list[float]:
    """Return where the clients of this test note their waits, instead of waiting."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Return the usual patience, without the waits."""
    return Patience(pause=lambda seconds, _: waits.append(seconds), jitter=lambda: 1.0)


@pytest.fixture
def client(patience: Patience) -> Iterator[Client]:
    """Return a client that nobody knows."""
    with Client(patience=patience) as client:
        yield client


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """Return a fake registry for everybody."""
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture(
    params=["fake", pytest.param("docker-registry", marks=pytest.mark.slow)],
)
def any_host(request: pytest.FixtureRequest) -> str:
    """Return the host of each registry that the contract is for."""
    if request.param == "fake":
        fake: FakeRegistry = request.getfixturevalue("registry")
        return fake.host
    real: str = request.getfixturevalue("real_registry")
    return real


@pytest.fixture
def repository_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return a function that makes names of this test's own, since the real registry lives on."""
    own = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())
    return lambda name: f"t/{'-'.join(part for part in own.split('-') if part)}/{name}"
