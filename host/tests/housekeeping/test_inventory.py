from __future__ import annotations

import time
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.stages.stage_layer import workspace
from cogworks.engines.lease import Lease
from cogworks.housekeeping.entry import Entry, Kind
from cogworks.housekeeping.inventory import by_kind, survey
from cogworks.housekeeping.prune import remove

from .conftest import DAY_S, Stock, age, key_of


def of_kind(stock: Stock, kind: Kind) -> list[Entry]:
    return [one for one in survey(stock.root) if one.kind is kind]


def test_a_cache_that_is_not_there_is_empty_and_is_not_made(tmp_path: Path) -> None:
    assert survey(tmp_path / "cache") == ()
    assert not (tmp_path / "cache").exists()


def test_an_environment_tells_what_is_in_it(stock: Stock) -> None:
    stock.environment("sound", days=3)
    (one,) = of_kind(stock, Kind.ENVIRONMENTS)
    assert (one.name, one.detail) == ("sound", "Python 3.12: pixel-1.0")
    assert time.time() - one.used_at == pytest.approx(3 * DAY_S, abs=60)
    assert one.size.total_bytes > 30
    assert not one.is_in_use


def test_a_layer_tells_its_title_and_has_its_blobs(stock: Stock) -> None:
    made = stock.layer("a", b"x" * 5000, days=2)
    (one,) = of_kind(stock, Kind.LAYERS)
    assert (one.name, one.detail) == (key_of("a")[:12], "of a")
    assert made.path in one.parts
    assert one.size.total_bytes > made.layer.size_bytes
    assert time.time() - one.used_at == pytest.approx(2 * DAY_S, abs=60)
    assert one.made_at == pytest.approx(time.time(), abs=60)


def test_a_wheel_has_its_file_name(stock: Stock) -> None:
    stock.wheel("pixel-1.0-py3-none-any.whl", days=5)
    (one,) = of_kind(stock, Kind.WHEELS)
    assert one.detail == "pixel-1.0-py3-none-any.whl"
    assert time.time() - one.used_at == pytest.approx(5 * DAY_S, abs=60)


def test_what_was_resolved_was_used_when_its_environment_was(stock: Stock) -> None:
    stock.file("envs/resolutions/abc-3.12.1/requirements.txt", days=50)
    stock.file("envs/inputs/abc.json", days=2)
    stock.file("oci/locks-of-projects/def/pylock.toml", days=4)
    ages = {
        one.path.name: (time.time() - one.used_at) / DAY_S for one in of_kind(stock, Kind.LOCKS)
    }
    assert ages == {"abc-3.12.1": pytest.approx(2, abs=0.1), "def": pytest.approx(4, abs=0.1)}


def test_a_python_that_images_bring_along_was_used_when_it_was_asked_for(stock: Stock) -> None:
    name = "cpython-3.12.1-linux-x86_64-gnu-0123456789ab"
    stock.file(f"oci/interpreters/{name}/bin/python3.12", days=90, size=100)
    note = "oci/interpreters/3.12-x86_64.json"
    stock.text(note, f'{{"folder": "{name}", "version": "3.12.1"}}')
    age(stock.root / note, 4)
    stock.text("oci/interpreters/3.13-x86_64.json", '{"folder": "another"}')
    (one,) = of_kind(stock, Kind.PYTHONS)
    assert (one.name, one.detail) == ("0123456789ab", name)
    assert one.parts == (stock.root / note,)
    assert time.time() - one.used_at == pytest.approx(4 * DAY_S, abs=60)


def test_what_builds_left_is_of_no_use(stock: Stock) -> None:
    stock.environment("sound")
    stock.environment("broken").joinpath("bin", "python").unlink()
    stock.layer("gone").path.unlink()
    stock.file(f"oci/keys/{key_of('unreadable')}.json")
    stock.file("oci/blobs/sha256/orphan", days=2)
    stock.file("oci/blobs/sha256/young")
    stock.file("oci/tmp/123-abcdef-01")
    stock.file("oci/interpreters/new-123-abcdef-x_1/cpython/bin/python3")
    stock.file("trash/123-abcdef/x")
    names = {one.path.relative_to(stock.root).as_posix() for one in of_kind(stock, Kind.LEFTOVERS)}
    assert names == {
        "envs/broken",
        f"oci/keys/{key_of('gone')}.json",
        f"oci/keys/{key_of('unreadable')}.json",
        "oci/blobs/sha256/orphan",
        "oci/tmp/123-abcdef-01",
        "oci/interpreters/new-123-abcdef-x_1",
        "trash/123-abcdef",
    }


def test_what_a_builder_writes_or_uses_is_in_use(stock: Stock) -> None:
    stock.layer("a")
    cache = Cache(stock.root)
    lease = Lease(stock.root)
    (stock.root / "trash" / lease.name).mkdir(parents=True)
    lease.claim(stock.root / "trash" / lease.name)
    with cache.temporary() as path:
        path.write_text("half")
        assert of_kind(stock, Kind.LEFTOVERS) == []
    from cogworks.oci.layer import Codec

    assert not of_kind(stock, Kind.LAYERS)[0].is_in_use
    assert cache.find_layer(key_of("a"), Codec.NONE) is not None
    assert of_kind(stock, Kind.LAYERS)[0].is_in_use


def test_entries_come_by_kind_and_the_last_used_first(stock: Stock) -> None:
    stock.layer("old", days=3)
    stock.layer("new")
    stock.environment("e")
    kinds = list(by_kind(survey(stock.root)))
    assert [kind for kind, _ in kinds] == [Kind.ENVIRONMENTS, Kind.LAYERS]
    assert [one.detail for one in kinds[1][1]] == ["of new", "of old"]


def test_images_and_tags_of_bases_have_their_names(stock: Stock) -> None:
    stock.text("oci/images/x.json", '{"name": "me/model:v1", "digest": "sha256:abc", "layers": []}')
    stock.text("oci/bases/tags/y.json", '{"reference": "python:3.12-slim", "digest": "sha256:a"}')
    stock.text("oci/images/damaged.json", "[]")
    images = {one.name: one.detail.strip() for one in of_kind(stock, Kind.IMAGES)}
    assert images == {"abc": "me/model:v1", "damaged": ""}
    assert [one.detail for one in of_kind(stock, Kind.LOCKS)] == [
        "what python:3.12-slim stands for"
    ]
    assert of_kind(stock, Kind.BASES) == []


def test_a_base_has_its_layers_where_something_was_executed_on_them(stock: Stock) -> None:
    blob = stock.layer("a", b"x" * 5000).path
    stock.key_file("a").unlink()
    age(blob, 5)
    stock.base("linux-amd64", blob)
    (one,) = of_kind(stock, Kind.BASES)
    assert one.detail == "linux/amd64"
    assert blob in one.parts
    assert one.size.total_bytes > 5000
    assert of_kind(stock, Kind.LEFTOVERS) == []
    remove(stock.root, [one])
    assert not blob.exists()


def test_a_folder_that_a_stage_works_in_is_in_use(stock: Stock) -> None:
    cache = Cache(stock.root)
    with workspace(cache) as folder:
        (folder / "x").write_text("")
        assert of_kind(stock, Kind.LEFTOVERS) == []
    stock.file("oci/tmp/123-abcdef-stage/x")
    assert len(of_kind(stock, Kind.LEFTOVERS)) == 1
