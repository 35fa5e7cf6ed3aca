"""`cog` as a process, docker and podman that are real, and an image that another tool of the format might have built."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cogworks.build.load import Loadable, load
from cogworks.engines.containers.find import require_engine
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.image import History, ImageConfig, parse_config
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.tar import Directory, File, archive
from cogworks.registry.blobs import Blob, BytesBlob
from tests.parts.base_image import base_image
from tests.parts.base_tree import BaseTree
from tests.parts.engine import Engine
from tests.parts.fixtures import debian, docker, podman, real_registry

__all__ = ["debian", "docker", "podman", "real_registry"]

ENGINES = ("docker", "podman")
OTHERS = "others/model:1"
"""An image whose server is `others_server.py`."""
LABELS = {"run.cog.version": "0.16.0", "run.cog.config": json.dumps({"build": {"gpu": False}})}


@dataclass(frozen=True)
class Terminal:
    """`cog` in a folder, with one engine."""

    folder: Path
    environ: Mapping[str, str]
    engine: Engine
    engine_name: str

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cogworks.cli", *arguments]

    def cog(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `cog` to its end; no container is left."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert self.containers() == []
        return done

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
        """Start `cog`; whatever happens, it is gone afterwards."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            alarm = threading.Timer(120, process.kill)
            alarm.start()
            try:
                yield process
            finally:
                alarm.cancel()
                process.kill()

    def containers(self) -> list[str]:
        return self.engine.run("ps", "--all", "--format", "{{.Names}}").stdout.split()

    def wait_until_empty(self, within_s: float = 30) -> None:
        pause, deadline = threading.Event(), time.monotonic() + within_s
        while self.containers():
            assert time.monotonic() < deadline, f"a container is left: {self.containers()}"
            pause.wait(0.1)


@pytest.fixture(params=ENGINES)
def terminal(
    request: pytest.FixtureRequest, debian: BaseTree, tmp_path: Path
) -> Iterator[Terminal]:
    """Return a terminal for each engine, which has the image ``OTHERS``."""
    name: str = request.param
    engine: Engine = request.getfixturevalue(name)
    load_others(engine, name, debian)
    environ = {
        **engine.environment,
        "COG_ENGINE": name,
        "COG_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path if path),
    }
    folder = tmp_path / "folder"
    folder.mkdir()
    terminal = Terminal(folder, environ, engine, name)
    yield terminal
    for container in terminal.containers():
        engine.remove(container)


def load_others(
    engine: Engine, name: str, debian: BaseTree, tag: str = OTHERS, **labels: str
) -> None:
    """Give an engine an image with the other server; labels replace the usual ones, empty ones remove them."""
    base = base_image(debian)
    code = (Path(__file__).parent / "others_server.py").read_bytes()
    data = b"".join(archive([(Directory("src"), ()), (File("src/server.py", len(code)), (code,))]))
    layer = Layer(digest_of(data), digest_of(data), len(data), Codec.NONE)
    config = _config(base.blobs[base.manifest.config.digest])
    config = config.with_layers([layer], [History("server")])
    found = {**LABELS, **{f"run.cog.{key}": text for key, text in labels.items()}}
    found = {name: text for name, text in found.items() if text}
    run = replace(config.run, labels=found, cmd=(), entrypoint=("python3", "/src/server.py"))
    config = replace(config, run=run)
    manifest = Manifest(config.descriptor, (*base.manifest.layers, layer.descriptor))
    blobs: dict[Digest, Blob] = {**base.blobs}
    for one in (BytesBlob(data), BytesBlob(config.to_bytes())):
        blobs[one.digest] = one
    load(
        require_engine(engine.environment, [name]),
        Loadable(config, manifest, blobs),
        tag,
    )


def _config(blob: Blob) -> ImageConfig:
    return parse_config(b"".join(blob.open()))
