from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cogworks.build.base_image import OWN, find_base
from cogworks.build.cache import Cache
from cogworks.build.errors import BaseError
from cogworks.oci.errors import PlatformError
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import parse_reference
from cogworks.registry.client import Client
from cogworks.testing.registry import FakeRegistry

from .bases import AMD64, base_layers, pull_base, push_base


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_a_base_says_its_python_and_its_glibc_and_is_pinned(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    base = pull_base(client, push_base(client, registry.host), cache)
    assert base.interpreter == "/usr/local/bin/python3.11"
    assert (base.target.python, base.target.glibc) == ((3, 11), (2, 36))
    assert base.reference.digest == base.digest


def test_no_layer_of_a_base_is_fetched(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    reference = push_base(client, registry.host)
    before = len(registry.requests)
    base = pull_base(client, reference, cache)
    asked = [target for method, target in registry.requests[before:] if method == "GET"]
    assert not any(str(base.image.manifest.layers[0].digest) in target for target in asked)


def test_a_base_that_is_named_by_digest_is_asked_for_once(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    first = pull_base(client, push_base(client, registry.host), cache)
    before = len(registry.requests)
    second = pull_base(client, first.reference, cache)
    assert len(registry.requests) == before
    assert second == first


def test_a_base_that_is_known_from_another_registry_comes_from_the_one_that_is_named(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    first = pull_base(client, push_base(client, registry.host), cache)
    mirror = parse_reference("mirror.example/library/python:3.11-slim").with_digest(first.digest)
    second = pull_base(client, mirror, cache)
    assert second.reference == mirror
    assert second.digest == first.digest


def test_a_damaged_entry_of_the_cache_is_fetched_again(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    first = pull_base(client, push_base(client, registry.host), cache)
    for path in (cache.root / "bases").iterdir():
        path.write_text(path.read_text().replace("bookworm", "bullseye"))
    assert pull_base(client, first.reference, cache) == first


def test_another_python_than_the_projects_is_refused(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    reference = push_base(client, registry.host)
    with pytest.raises(BaseError, match=r"has Python 3\.11, and the project wants 3\.12"):
        find_base(lambda: client, reference, AMD64, (3, 12), cache)


def test_a_base_that_says_nothing_of_python_gets_one_of_its_own(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    base = pull_base(client, push_base(client, registry.host, env={}), cache)
    assert (base.interpreter, base.has_python) == ("/opt/python3.11/bin/python3.11", False)
    assert base.layer_limit == 125 - 1 - 2 - 1


@pytest.mark.parametrize("path", ["python3.11", "bin/python3.11", "/opt/conda/", ""])
def test_a_python_is_named_by_its_absolute_path(
    registry: FakeRegistry, client: Client, cache: Cache, path: str
) -> None:
    reference = push_base(client, registry.host)
    asked = len(registry.requests)
    with pytest.raises(BaseError, match=f"--base-python: '{path}' is no absolute path"):
        find_base(lambda: client, reference, AMD64, (3, 11), cache, path)
    assert len(registry.requests) == asked


def test_so_does_one_whose_user_says_so(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    reference = push_base(client, registry.host)
    base = find_base(lambda: client, reference, AMD64, (3, 12), cache, OWN)
    assert (base.interpreter, base.has_python) == ("/opt/python3.12/bin/python3.12", False)


@pytest.mark.parametrize(
    "path", ["/usr/bin/python3.11", "/usr/bin/python3", "/opt/conda/bin/python"]
)
def test_the_path_of_a_bases_python_is_taken_from_the_user_or_from_a_label(
    registry: FakeRegistry, client: Client, cache: Cache, path: str
) -> None:
    reference = push_base(client, registry.host, env={})
    base = find_base(lambda: client, reference, AMD64, (3, 11), cache, path)
    assert (base.interpreter, base.has_python) == (path, True)
    labelled = push_base(client, registry.host, env={}, labels={"run.cog.python": path})
    assert pull_base(client, labelled, cache).interpreter == path


def test_a_path_of_another_version_is_refused_and_says_more_than_the_image(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    reference = push_base(client, registry.host)
    with pytest.raises(BaseError, match=r"has Python 3\.9, and the project wants 3\.11"):
        find_base(lambda: client, reference, AMD64, (3, 11), cache, "/usr/bin/python3.9")
    second = find_base(lambda: client, reference, AMD64, (3, 12), cache, "/usr/bin/python3.12")
    assert second.interpreter == "/usr/bin/python3.12"


def test_an_old_python_takes_another_layer_for_the_servers(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    reference = push_base(client, registry.host, env={"PYTHON_VERSION": "3.9.18"})
    base = find_base(lambda: client, reference, AMD64, (3, 9), cache)
    assert base.has_python
    assert base.layer_limit == 125 - 1 - 2 - 1


def test_alpine_is_refused_with_the_reason(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    made = "ADD alpine-minirootfs-3.20.0-x86_64.tar.gz / # buildkit"
    reference = push_base(client, registry.host, created_by=made)
    with pytest.raises(BaseError, match="musl"):
        pull_base(client, reference, cache)


def test_another_platform_is_refused(registry: FakeRegistry, client: Client, cache: Cache) -> None:
    reference = push_base(client, registry.host)
    with pytest.raises(PlatformError, match="linux/arm64"):
        find_base(lambda: client, reference, parse_platform("linux/arm64"), (3, 11), cache)


def test_the_base_takes_from_the_layers_that_are_left(
    registry: FakeRegistry, client: Client, cache: Cache
) -> None:
    base = pull_base(client, push_base(client, registry.host, layers=base_layers(5)), cache)
    assert base.layer_limit == 125 - 5 - 2


@pytest.mark.parametrize(
    ("labels", "created_by", "tag", "glibc"),
    [
        ({}, "# debian.sh --arch 'amd64' out/ 'trixie' '@1'", "3.11-slim", (2, 41)),
        ({}, "RUN true", "3.11-slim-bullseye", (2, 31)),
        ({}, "RUN true", "3.11", (2, 36)),
        ({}, "RUN true", "12.4.1-cudnn-devel-ubuntu20.04", (2, 31)),
        (
            {
                "org.opencontainers.image.ref.name": "ubuntu",
                "org.opencontainers.image.version": "22.04",
            },
            "RUN true",
            "cuda",
            (2, 35),
        ),
    ],
)
def test_the_release_of_a_base_says_its_glibc(
    registry: FakeRegistry,
    client: Client,
    cache: Cache,
    labels: dict[str, str],
    created_by: str,
    tag: str,
    glibc: tuple[int, int],
) -> None:
    reference = push_base(client, registry.host, created_by=created_by, labels=labels)
    pinned = pull_base(client, reference, cache).reference
    found = find_base(lambda: client, replace(pinned, tag=tag), AMD64, (3, 11), cache)
    assert found.target.glibc == glibc
