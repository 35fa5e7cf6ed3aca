"""Wheels whose places are asked for when one of them is needed, and not before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.errors import DownloadError
from cogworks.build.late_wheels import LateWheels
from cogworks.build.wheel_set import WheelFile, bring, give_up, start
from cogworks.oci.digest import Digest

CONTENT = b"a wheel, as it were"
DIGEST = Digest(hashlib.sha256(CONTENT).hexdigest())


class Shelf:
    """Brings the one wheel that it has, and counts how often it is asked."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.asked = self.brought = 0
        self.is_closed = False

    def locate(self) -> list[WheelFile]:
        self.asked += 1
        return [replace(wheel_in(self.cache), source=self)]

    def start(self, wheels: Sequence[WheelFile]) -> None:
        pass

    def bring(self, wheels: Sequence[WheelFile]) -> None:
        for one in wheels:
            self.brought += 1
            with self.cache.temporary() as path:
                path.write_bytes(CONTENT)
                self.cache.keep(path, one.path, one.digest)

    def close(self) -> None:
        self.is_closed = True


def wheel_in(cache: Cache, digest: Digest = DIGEST) -> WheelFile:
    name = "pixel-1.0-py3-none-any.whl"
    return WheelFile("pixel", name, digest, cache.wheel_path(digest), len(CONTENT))


def test_nobody_is_asked_before_a_wheel_is_needed(cache: Cache) -> None:
    shelf = Shelf(cache)
    late = [replace(wheel_in(cache), source=LateWheels(cache, shelf.locate))]
    start(late)
    give_up(late)
    assert (shelf.asked, shelf.is_closed) == (0, False)


def test_wheels_are_located_once_and_brought(cache: Cache) -> None:
    shelf = Shelf(cache)
    late = [replace(wheel_in(cache), source=LateWheels(cache, shelf.locate))]
    bring(late)
    assert late[0].path.read_bytes() == CONTENT
    late[0].path.unlink()
    bring(late)
    assert (shelf.asked, shelf.brought) == (1, 2)
    give_up(late)
    assert shelf.is_closed


def test_a_wheel_that_is_here_is_used_as_it_is(cache: Cache) -> None:
    shelf = Shelf(cache)
    bring(shelf.locate())
    shelf.asked = 0
    bring([replace(wheel_in(cache), source=LateWheels(cache, shelf.locate))])
    assert (shelf.asked, shelf.brought) == (0, 1)
    assert cache.find_wheel_size(DIGEST) == len(CONTENT)


def test_a_wheel_that_the_indexes_do_not_have_is_named(cache: Cache, tmp_path: Path) -> None:
    other = wheel_in(cache, Digest("0" * 64))
    late = [replace(other, source=LateWheels(cache, Shelf(cache).locate))]
    with pytest.raises(DownloadError, match=r"pixel-1\.0-py3-none-any\.whl is not in the package"):
        bring(late)
