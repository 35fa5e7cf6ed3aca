"""What can go wrong between `cog push` and the world: one clear message each, nothing half-done, and the next try succeeds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cogworks.testing import FakeRegistry
from cogworks.testing.registry import Fault
from tests.parts.process import free_port

from .build_desk import Desk, message_of

pytestmark = pytest.mark.slow

ALWAYS = 1000
"""As often as anybody tries."""
SOON = {"Retry-After": "3600"}
"""Longer than we wait, so that the test does not wait either."""


class Scene:
    """A project, the registry of its base, and the one that it is pushed to."""

    def __init__(self, root: Path, bases: FakeRegistry, target: FakeRegistry) -> None:
        self.bases, self.target = bases, target
        self.desk = Desk(root, bases.host)
        self.desk.write("noise.bin", os.urandom(150_000).hex())
        self.name = f"{target.host}/me/model:v1"

    def push(self, name: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the real command."""
        return self.desk.run("push", name or self.name, "--base-image", self.desk.base, **environ)

    def fail(self, name: str = "", **environ: str) -> str:
        """Return the one message of a push that fails, and see that it left nothing."""
        told = message_of(self.push(name, **environ))
        assert self.target.state.tags.get("me/model", {}) == {}
        assert self.desk.leftovers() == []
        return told

    def succeed(self) -> None:
        """Push once more, now that nothing is in the way."""
        for registry in (self.bases, self.target):
            registry.faults.clear()
            registry.limits.body_max = 0
        done = self.push()
        assert done.returncode == 0, done.stderr
        assert self.target.state.tags["me/model"].keys() == {"v1"}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeRegistry() as bases, FakeRegistry() as target:
        yield Scene(tmp_path, bases, target)


def wants_a_login(registry: FakeRegistry) -> None:
    registry.access.users["ann"] = "pw"


def forbids(registry: FakeRegistry) -> None:
    registry.add_fault(Fault(times=ALWAYS, status=403, code="DENIED", message="no push for you"))


def knows_no_such_name(registry: FakeRegistry) -> None:
    registry.add_fault(Fault(times=ALWAYS, status=404, code="NAME_UNKNOWN"))


def is_read_only(registry: FakeRegistry) -> None:
    registry.add_fault(Fault("POST", "/uploads/", times=ALWAYS, status=405))


def limits_bodies(registry: FakeRegistry) -> None:
    registry.limits.body_max = 1000


def is_asked_too_often(registry: FakeRegistry) -> None:
    fault = Fault(times=ALWAYS, status=429, code="TOOMANYREQUESTS", headers=SOON)
    registry.add_fault(fault)


def is_broken(registry: FakeRegistry) -> None:
    fault = Fault(times=ALWAYS, status=500, headers=SOON)
    registry.add_fault(fault)


def fails_at_the_end(registry: FakeRegistry) -> None:
    fault = Fault("PUT", "/manifests/", times=ALWAYS, status=503, headers=SOON)
    registry.add_fault(fault)


def cuts_layers(registry: FakeRegistry) -> None:
    registry.add_fault(Fault("PUT", "/blobs/uploads/", times=ALWAYS, cut_after_bytes=5_000))


Misbehave = Callable[[FakeRegistry], None]


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (forbids, "These credentials may not do that: check the repository's name"),
        (knows_no_such_name, "NAME_UNKNOWN. Check the image's name and tag"),
        (is_read_only, "the registry answered 405. It may be read-only"),
        (limits_bodies, "limits the size of an upload (413)"),
        (is_asked_too_often, "limits how often it is asked (429): wait, or run `cog login"),
        (is_broken, "the registry answered 500. The registry has a problem of its own"),
        (fails_at_the_end, "The registry has a problem of its own; try again later"),
        (cuts_layers, "the connection broke"),
    ],
)
def test_a_push_that_the_registry_does_not_take(
    scene: Scene, misbehave: Misbehave, message: str
) -> None:
    misbehave(scene.target)
    told = scene.fail()
    assert message in told
    assert scene.target.host in told
    scene.succeed()


def test_a_push_without_credentials(tmp_path: Path) -> None:
    with FakeRegistry() as bases, FakeRegistry({"ann": "pw"}) as target:
        scene = Scene(tmp_path, bases, target)
        assert f"Run `cog login {target.host}`" in scene.fail()


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (forbids, "DENIED: no push for you. These credentials may not do that"),
        (knows_no_such_name, "NAME_UNKNOWN. Check the image's name and tag"),
        (is_asked_too_often, "limits how often it is asked (429): wait, or run `cog login"),
        (is_broken, "The registry has a problem of its own; try again later"),
    ],
)
def test_a_base_that_cannot_be_had(scene: Scene, misbehave: Misbehave, message: str) -> None:
    misbehave(scene.bases)
    told = scene.fail()
    assert message in told
    assert scene.bases.host in told
    assert scene.target.requests == []
    scene.succeed()


def test_a_base_whose_layer_breaks_on_the_way_through(scene: Scene) -> None:
    scene.bases.add_fault(Fault("GET", "/blobs/", skip=1, times=ALWAYS, cut_after_bytes=0))
    told = scene.fail()
    assert "the connection broke" in told
    assert scene.bases.host in told
    scene.succeed()


def test_a_connection_that_is_cut_once_is_nobodys_business(scene: Scene) -> None:
    scene.target.add_fault(Fault("PUT", "/blobs/uploads/", cut_after_bytes=5_000))
    done = scene.push()
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


def test_no_registry_at_all(scene: Scene) -> None:
    host = f"127.0.0.1:{free_port()}"
    told = scene.fail(f"{host}/me/model:v1")
    assert f"http://{host}/" in told
    assert "no connection" in told
    assert "Check the registry's name and the network." in told
    scene.succeed()


def test_no_index_at_all(scene: Scene) -> None:
    url = f"http://127.0.0.1:{free_port()}/simple"
    scene.desk.environ = {
        name: value for name, value in scene.desk.environ.items() if not name.startswith("UV_")
    }
    told = scene.fail(UV_DEFAULT_INDEX=url, UV_HTTP_RETRIES="0")
    assert "the packages of cog.yaml cannot be resolved" in told
    assert url in told
