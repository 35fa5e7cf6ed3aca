"""An image of an example, unpacked and started with the machine's own Python below it: it has to answer over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cogworks.build.assemble import BuiltImage, How, assemble
from cogworks.build.base_image import OWN, find_base
from cogworks.build.cache import Cache
from cogworks.build.errors import DownloadError, LockError
from cogworks.build.layout import write_directory
from cogworks.oci.platform import parse_platform
from cogworks.project import load_project
from cogworks.registry.client import Client
from cogworks.testing.registry import FakeRegistry

from .bases import Quiet, push_base
from .python_mirror import write_real_mirror

PYTHON = "/usr/bin/python3.11"
"""What stands for the base's Python: examples/hello-world asks for this version."""
TRIES = 150
"""How often the starting server is asked whether it is ready, 0.1 s apart."""
ROOT = Path(__file__).resolve().parents[3]

pytestmark = [pytest.mark.slow, pytest.mark.network]

START = """
set -e
root=$1; shift
for folder in usr lib lib64 bin proc dev; do
  [ -e "/$folder" ] || continue
  mkdir -p "$root/$folder"
  mount --rbind "/$folder" "$root/$folder"
done
mkdir -p "$root/tmp"; chmod 1777 "$root/tmp"
user=$1; shift
folder=$1; shift
exec chroot --userspec="$user" "$root" /usr/bin/env -i -C "$folder" "$@"
"""
"""Run a command in an unpacked image; the mounts are seen by it alone, and end with it."""


def can_enter() -> bool:
    if not Path(PYTHON).exists() or os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
    )


def build(
    root: Path,
    client: Client,
    host: str,
    interpreter: str,
    version: str,
    variables: Mapping[str, str],
) -> BuiltImage:
    project = root / "hello-world"
    shutil.copytree(ROOT / "examples" / "hello-world", project)
    config = project / "cog.yaml"
    config.write_text(config.read_text().replace("3.11", version))
    major, minor = map(int, version.split("."))
    cache = Cache(root / "cache")
    platform = parse_platform(os.uname().machine)
    reference = push_base(client, host, env={"PATH": "/usr/bin:/bin"}, platform=platform)
    base = find_base(lambda: client, reference, platform, (major, minor), cache, interpreter)
    try:
        return assemble(
            load_project(project), base, cache, Quiet(), How(), {**os.environ, **variables}
        )
    except (LockError, DownloadError) as error:
        pytest.skip(f"no index can be reached: {str(error).splitlines()[0]}")


def unpack(layout: Path, root: Path) -> dict[str, Any]:
    """Unpack the layers that a layout's index leads to; return how a container is started."""
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(layout, index["manifests"][0]["digest"]).read_bytes())
    root.mkdir(mode=0o755)
    for layer in manifest["layers"]:
        with tarfile.open(blob(layout, layer["digest"])) as archive:
            archive.extractall(root, filter="fully_trusted")
    config: dict[str, Any] = json.loads(blob(layout, manifest["config"]["digest"]).read_bytes())[
        "config"
    ]
    return config


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / Path(*digest.split(":"))


def start(root: Path, config: dict[str, Any], port: int) -> subprocess.Popen[bytes]:
    place = [str(root), config["User"], config["WorkingDir"]]
    inside = [*config["Env"], f"PORT={port}", *config["Entrypoint"], *config["Cmd"]]
    command = ["unshare", "-m", "sh", "-c", START, "sh", *place, *inside]
    return subprocess.Popen(command)


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(TRIES):
        try:
            if httpx2.get(f"{url}/health-check", timeout=5).json()["status"] == "READY":
                return
        except httpx2.TransportError:
            assert process.poll() is None, "the server ended"
        threading.Event().wait(0.1)
    pytest.fail("the server was not ready in time")


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.mark.skipif(not can_enter(), reason=f"needs root, unshare and {PYTHON}")
def test_an_image_unpacked_serves_predictions(tmp_path: Path, client: Client) -> None:
    serve_and_ask(tmp_path, client, PYTHON)


@pytest.mark.skipif(not can_enter(), reason=f"needs root and unshare and {PYTHON}")
@pytest.mark.parametrize(("model", "server"), [("3.12", "3.12"), ("3.9", "3.13")])
def test_so_does_one_that_brings_its_pythons_along(
    tmp_path: Path, client: Client, model: str, server: str
) -> None:
    mirror = tmp_path / "mirror"
    versions = {minor: write_real_mirror(mirror, minor) for minor in (model, server)}
    variables = next(found for _, found in versions.values())
    # Those of pyenv may be linked to a library in pyenv's folder, which a container does not have; real ones are not.
    libraries = f"LD_LIBRARY_PATH=/opt/python{model}/lib:/opt/python{server}/lib"
    image = serve_and_ask(tmp_path, client, OWN, model, variables, libraries)
    brought = [one.title for one in image.layers if one.title.startswith("Python ")]
    assert brought == [f"Python {version}" for version, _ in versions.values()]


def serve_and_ask(
    tmp_path: Path,
    client: Client,
    interpreter: str,
    version: str = "3.11",
    variables: Mapping[str, str] | None = None,
    *environment: str,
) -> BuiltImage:
    """Build an image, start it, let it predict, and end it."""
    with FakeRegistry() as registry:
        image = build(tmp_path, client, registry.host, interpreter, version, variables or {})
        platform = image.base.target.platform
        write_directory(tmp_path / "layout", image.manifest, platform, image.blobs(client))
    config = unpack(tmp_path / "layout", tmp_path / "root")
    config["Env"] += environment
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start(tmp_path / "root", config, port)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process)
        answer = httpx2.post(f"{url}/predictions", json={"input": {"text": "Ada"}}, timeout=30)
        assert answer.json()["output"] == "hello Ada"
        assert process_user(process.pid) == "1000"
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0
    assert not list((tmp_path / "root" / "src").rglob("__pycache__"))
    return image


def process_user(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Uid:"))
