"""A cache with some of everything, made by the code that makes it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.packer import Summary, with_parents, write_layer
from cogworks.engines.store import MARKER, Store
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.layer import Codec
from cogworks.oci.manifest import Descriptor, Manifest
from cogworks.oci.tar import File

DAY_S = 24 * 3600.0


class Stock:
    """A cache's folder, and ways to put things into it that are so many days old."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def environment(self, key: str, days: float = 0) -> Path:
        store = Store(self.root / "envs")
        directory = store.new_directory(key)
        (directory / "bin").mkdir(parents=True)
        python = directory / "bin" / "python"
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        (directory / "pyvenv.cfg").write_text("home = /usr/bin\n")
        (directory / "lib" / "python3.12" / "site-packages" / "pixel-1.0.dist-info").mkdir(
            parents=True
        )
        store.complete(key, directory)
        age(self.root / "envs" / key / MARKER, days)
        return directory

    def layer(self, key: str, content: bytes = b"x", days: float = 0) -> CachedLayer:
        """Put a layer into the cache by a builder that has ended."""
        cache = Cache(self.root)
        made = cache.layer(key_of(key), Codec.NONE, lambda path: pack(path, content), f"of {key}")
        age(self.key_file(key), days)
        return made

    def key_file(self, key: str) -> Path:
        return self.root / "oci" / "keys" / f"{key_of(key)}.json"

    def wheel(self, name: str, days: float = 0) -> Path:
        cache = Cache(self.root)
        digest = Digest(hashlib.sha256(name.encode()).hexdigest())
        with cache.temporary() as path:
            path.write_text(name)
            found = cache.keep(path, cache.wheel_path(digest), digest)
        cache.note_wheel(digest, name, len(name))
        age(self.root / "oci" / "wheels" / "names" / digest.hex, days)
        return found

    def file(self, name: str, days: float = 0, size: int = 10) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        age(path, days)
        return path

    def base(self, platform: str, *layers: Path) -> Path:
        """Write the documents of a base with some layers."""
        empty = Descriptor("application/vnd.oci.image.config.v1+json", digest_of(b"{}"), 2)
        blobs = (Descriptor("x.tar", Digest(one.name), one.stat().st_size) for one in layers)
        manifest = Manifest(empty, tuple(blobs))
        name = f"oci/bases/{manifest.digest.hex}-{platform}.json"
        self.text(name, json.dumps({"manifest": manifest.to_bytes().decode("latin-1")}))
        return self.root / name

    def text(self, name: str, content: str) -> None:
        self.file(name).write_text(content)


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pack(path: Path, content: bytes) -> Summary:
    return write_layer(with_parents([(File("src/x", len(content)), (content,))]), Codec.NONE, path)


def age(path: Path, days: float) -> None:
    at = time.time() - days * DAY_S
    os.utime(path, (at, at))


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return Stock(tmp_path / "cache")
