"""Records of the images that were built here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cogworks.build.cache import Cache
from cogworks.build.image_store import ImageStore
from cogworks.oci.digest import Digest
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import parse_reference

AMD64 = parse_platform("linux/amd64")
NAME = parse_reference("me/model:v1")


def image(digest: str) -> Any:
    """Return as much of an image as a record has."""
    return SimpleNamespace(
        config=SimpleNamespace(platform=AMD64),
        digest=Digest(digest * 64),
        base=SimpleNamespace(reference=parse_reference("python:3.11-slim")),
        layers=[
            SimpleNamespace(cached=SimpleNamespace(layer=SimpleNamespace(digest=Digest("5" * 64))))
        ],
    )


def test_a_name_stands_for_the_image_that_was_built_last(tmp_path: Path) -> None:
    store = ImageStore(Cache(tmp_path))
    assert store.find(NAME, AMD64) is None
    store.keep(NAME, image("1"))
    store.keep(NAME, image("2"))
    found = store.find(NAME, AMD64)
    assert found is not None
    assert (found.name, found.digest) == ("me/model:v1", Digest("2" * 64))
    assert found.layers == (Digest("5" * 64),)
    assert found.base == "docker.io/library/python:3.11-slim"
    assert store.find(NAME, parse_platform("linux/arm64")) is None


def test_all_are_listed_by_name_and_damaged_records_are_not(tmp_path: Path) -> None:
    store = ImageStore(Cache(tmp_path))
    for name in ("b", "a"):
        store.keep(parse_reference(name), image("1"))
    (store.folder / "broken.json").write_text('{"name": "c"}')
    assert [one.name for one in store.all()] == ["a", "b"]
