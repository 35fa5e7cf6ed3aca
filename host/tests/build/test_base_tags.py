from __future__ import annotations

from pathlib import Path

from cogworks.build.base_tags import BaseTags
from cogworks.build.cache import Cache
from cogworks.oci.digest import Digest
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import parse_reference

NAME = parse_reference("python:3.11-slim")
AMD64, ARM64 = parse_platform("linux/amd64"), parse_platform("linux/arm64")
ONE, TWO = Digest("1" * 64), Digest("2" * 64)


def test_a_tag_is_remembered_for_each_platform(tmp_path: Path) -> None:
    tags = BaseTags(Cache(tmp_path))
    assert tags.find(NAME, AMD64) is None
    tags.remember(NAME, AMD64, ONE)
    tags.remember(NAME, ARM64, TWO)
    assert tags.find(NAME, AMD64) == ONE
    assert tags.find(NAME, ARM64) == TWO
    assert tags.find(parse_reference("python:3.12-slim"), AMD64) is None


def test_what_is_damaged_counts_as_unknown(tmp_path: Path) -> None:
    tags = BaseTags(Cache(tmp_path))
    tags.remember(NAME, AMD64, ONE)
    (noted,) = (tags.cache.root / "bases" / "tags").iterdir()
    for text in ("", "[]", "{}", '{"reference": "docker.io/library/python:3.11-slim"}'):
        noted.write_text(text)
        assert tags.find(NAME, AMD64) is None
