"""What one machine has resolved, another one takes: if it would ask for the same, and has what the lock names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.layer_index import LayerIndex
from cogworks.build.resolve import LOCK_NAME, Resolution, resolve
from cogworks.build.shared_layers import SharedLayer
from cogworks.build.shared_locks import SharedLock, now_utc
from cogworks.build.target import Target
from cogworks.oci.layer import Codec
from cogworks.oci.reference import Repository
from cogworks.project import Build, Project
from cogworks.registry.client import Client
from cogworks.testing.registry import FakeRegistry, Fault

from .bases import AMD64, Quiet, offline
from .conftest import write_wheel

TARGET = Target((3, 11), AMD64)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


class Machine:
    """A cache and a clone of its own; the wheels and the index of layers are those of all."""

    def __init__(self, root: Path, name: str, client: Client, host: str) -> None:
        self.root, self.wheels, self.folder = root, root / "wheels", root / name
        self.folder.mkdir()
        self.repository = Repository(host, "team/layers")
        self.index = LayerIndex(lambda: client, self.repository)
        self.cache = Cache(self.folder / "cache", shared=self.index)
        self.variables: dict[str, str] = {}
        (self.folder / "cog.yaml").touch()

    def resolve(self, *, keep_beside: bool = False) -> Resolution:
        build = Build("3.11", python_packages=("pixel",))
        project = Project(self.folder, self.folder / "cog.yaml", build)
        environment = {**offline(self.root, self.wheels), **self.variables}
        return resolve(
            project,
            TARGET,
            self.cache,
            Quiet(),
            python=Path(sys.executable),
            environment=environment,
            keep_beside=keep_beside,
        )

    def version(self) -> str:
        (wheel,) = self.resolve().wheels
        return wheel.version

    def publish(self) -> None:
        assert self.index.publish([], self.repository) == ""


@pytest.fixture
def machines(tmp_path: Path, registry: FakeRegistry) -> Iterator[tuple[Machine, Machine]]:
    """Return one that has resolved and published, before there was a newer version, and one that has not."""
    write_wheel(tmp_path / "wheels", "pixel", "1.0")
    with Client() as client:
        one, two = (Machine(tmp_path, name, client, registry.host) for name in ("one", "two"))
        assert one.version() == "1.0"
        one.publish()
        write_wheel(tmp_path / "wheels", "pixel", "2.0")
        yield one, two


pytestmark = pytest.mark.slow


def test_another_machine_takes_what_was_resolved_and_keeps_it(
    machines: tuple[Machine, Machine], registry: FakeRegistry
) -> None:
    one, two = machines
    found = two.resolve()
    assert not found.is_new
    assert found.wheels == one.resolve().wheels
    registry.add_fault(Fault(path="layers", status=500, times=99))
    assert two.version() == "1.0"
    assert two.index.notices == ()


def test_a_machine_with_other_indexes_resolves_by_itself(
    machines: tuple[Machine, Machine],
) -> None:
    _, two = machines
    two.variables["UV_PRERELEASE"] = "allow"
    assert two.version() == "2.0"


def test_other_settings_of_uv_count(machines: tuple[Machine, Machine]) -> None:
    _, two = machines
    settings = two.folder / "uv.toml"
    settings.write_text("offline = true\n")
    two.variables["UV_CONFIG_FILE"] = str(settings)
    assert two.version() == "2.0"


def test_a_lock_that_names_files_of_another_machine_is_not_taken(
    machines: tuple[Machine, Machine],
) -> None:
    _, two = machines
    (wheel,) = two.wheels.glob("pixel-1.0-*")
    wheel.unlink()
    assert two.version() == "2.0"


@pytest.mark.parametrize("rule", ["no cache", "verified"])
def test_whoever_packs_anew_resolves_anew(machines: tuple[Machine, Machine], rule: str) -> None:
    _, two = machines
    two.cache.is_reused, two.cache.is_verified = rule != "no cache", rule == "verified"
    assert two.version() == "2.0"


def test_a_lock_of_the_repository_has_no_time_and_is_not_shared(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    write_wheel(tmp_path / "wheels", "pixel", "1.0")
    with Client() as client:
        one = Machine(tmp_path, "one", client, registry.host)
        one.resolve(keep_beside=True)
        assert "made-at" not in (one.folder / LOCK_NAME).read_text()
        one.publish()
    assert registry.requests == []


def test_an_index_that_cannot_be_asked_is_told_of_and_uv_is_asked(
    machines: tuple[Machine, Machine], registry: FakeRegistry
) -> None:
    _, two = machines
    registry.add_fault(Fault(path="layers", status=403, code="DENIED", times=99))
    assert two.version() == "2.0"
    (notice,) = two.index.notices
    assert "cannot be read" in notice


class Index:
    """Has one and the same text for every key."""

    name = "an index"

    def __init__(self, text: str) -> None:
        self.lock = SharedLock(text, now_utc())

    def find(self, key: str, codec: Codec) -> SharedLayer | None:
        return None

    def find_lock(self, key: str) -> SharedLock | None:
        return self.lock

    def offer_lock(self, key: str, lock: SharedLock) -> None:
        pass


@pytest.mark.parametrize("text", ["", "x = ", '[tool.cogworks]\ninput-hash = "another"\n'])
def test_what_is_no_lock_of_these_inputs_is_not_taken(
    machines: tuple[Machine, Machine], text: str
) -> None:
    _, two = machines
    two.cache.shared = Index(text)
    assert two.version() == "2.0"
