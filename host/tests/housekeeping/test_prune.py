from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.engines.lease import Lease
from cogworks.engines.store import Store
from cogworks.housekeeping.entry import Entry
from cogworks.housekeeping.inventory import survey
from cogworks.housekeeping.policy import Policy, choose
from cogworks.housekeeping.prune import Removal, remove
from cogworks.oci.layer import Codec

from .conftest import Stock, key_of

ALL = Policy(everything=True)


def prune(stock: Stock, policy: Policy = ALL) -> Removal:
    return remove(stock.root, choose(survey(stock.root), policy, time.time()))


def files(root: Path) -> set[str]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}
    return {name for name in found if not name.startswith("leases/")}


def test_everything_goes_and_is_counted(stock: Stock) -> None:
    stock.environment("e")
    made = stock.layer("a", b"x" * 5000)
    stock.wheel("pixel-1.0-py3-none-any.whl")
    stock.file("oci/bases/abc-linux-amd64.json")
    stock.file("oci/locks-of-projects/def/pylock.toml")
    stock.file("envs/resolutions/abc-3.12.1/requirements.txt")
    stock.file("envs/inputs/abc.json")
    stock.file("sdk/abc/__main__.py")
    stock.file("oci/tmp/123-abcdef-01")
    done = prune(stock)
    assert done.kept == ()
    assert done.freed_bytes > made.layer.size_bytes
    assert {name for name in files(stock.root) if "/locks/" not in name} == set()
    assert survey(stock.root) == ()


def test_a_blob_of_two_layers_goes_with_the_last_of_them(stock: Stock) -> None:
    blob = stock.layer("a", b"same", days=9).path
    assert stock.layer("b", b"same").path == blob
    prune(stock, Policy(older_than_s=3600))
    assert blob.exists()
    assert [one.detail for one in survey(stock.root)] == ["of b"]
    prune(stock)
    assert not blob.exists()
    assert survey(stock.root) == ()


def test_what_is_claimed_after_the_look_stays(stock: Stock) -> None:
    stock.environment("e")
    stock.layer("a")
    chosen = choose(survey(stock.root), ALL, time.time())
    cache, store = Cache(stock.root), Store(stock.root / "envs", Lease(stock.root))
    layer, environment = cache.find_layer(key_of("a"), Codec.NONE), store.find("e")
    assert layer is not None
    assert environment is not None
    done = remove(stock.root, chosen)
    assert (len(done.removed), len(done.kept), done.freed_bytes) == (0, 2, 0)
    assert layer.path.exists()
    assert environment.python.exists()


def test_a_blob_that_has_found_its_key_after_the_look_stays(stock: Stock) -> None:
    blob = stock.layer("a").path
    stock.key_file("a").rename(stock.root / "aside")
    stock.file(f"oci/blobs/sha256/{blob.name}", days=2)
    chosen = choose(survey(stock.root), Policy(older_than_s=1e9), time.time())
    assert [one.path for one in chosen] == [blob]
    (stock.root / "aside").rename(stock.key_file("a"))
    assert remove(stock.root, chosen).removed == ()
    assert blob.exists()


def test_notes_that_nobody_needs_any_more_go_along(stock: Stock) -> None:
    kept = stock.file("oci/locks/young.lock")
    for name, days in (
        ("oci/locks/old.lock", 2),
        ("oci/filehash/old.json", 40),
        ("oci/built/old.json", 40),
    ):
        stock.file(name, days)
    for name in ("oci/filehash/young.json", "oci/built/young.json"):
        stock.file(name)
    prune(stock, Policy(older_than_s=1e9))
    assert files(stock.root) == {
        "oci/locks/young.lock",
        "oci/filehash/young.json",
        "oci/built/young.json",
    }
    assert kept.exists()


def test_a_removal_that_was_killed_is_finished_by_the_next_one(stock: Stock) -> None:
    stock.file("trash/123-abcdef/deadbeef/x")
    assert [one.detail for one in prune(stock, Policy(older_than_s=1e9)).removed] == [
        "removed, but not quite"
    ]
    assert files(stock.root) == set()


def test_what_cannot_be_moved_is_told(stock: Stock) -> None:
    stock.layer("a")
    chosen: list[Entry] = choose(survey(stock.root), ALL, time.time())
    stock.key_file("a").unlink()
    assert remove(stock.root, chosen).kept == tuple(chosen)


BUILDER = """
import pathlib, random, sys
from cogworks.build.cache import Cache
from cogworks.build.packer import with_parents, write_layer
from cogworks.engines.store import Store
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File

def make(text):
    data = text.encode() * 1000
    members = with_parents([(File("src/x", len(data)), (data,))])
    return lambda path: write_layer(members, Codec.NONE, path)

random.seed(int(sys.argv[2]))
for turn in range(60):
    cache = Cache(pathlib.Path(sys.argv[1]))
    used = []
    for _ in range(5):
        # Few contents and fewer keys, so that builders share both.
        key, text = f"{random.randrange(12):064}", str(random.randrange(4))
        used.append(cache.layer(key, Codec.NONE, make(text)))
        for one in used:
            assert len(one.path.read_bytes()) == one.layer.size_bytes, one
print("fine")
"""


@pytest.mark.slow
def test_builders_and_removals_at_the_same_time_never_meet(stock: Stock) -> None:
    builders = [
        subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(stock.root), str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for seed in range(2)
    ]
    rounds = removed = 0
    while any(builder.poll() is None for builder in builders):
        removed += len(prune(stock).removed)
        rounds += 1
    outputs = [builder.communicate(timeout=60) for builder in builders]
    assert [output for output, _ in outputs] == ["fine\n", "fine\n"], outputs
    assert rounds > 1
    assert removed > 0
    prune(stock)
    assert survey(stock.root) == ()
