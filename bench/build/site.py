"""What all builders work on: a project, a base with its wheels, and a registry that has that base and nothing else."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cogworks.oci.digest import digest_of
from cogworks.oci.image import History
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.reference import parse_reference
from cogworks.registry.blobs import Blob, BytesBlob
from cogworks.registry.client import Client
from cogworks.registry.push import ImageToPush, push_image
from tests.parts.base_image import base_image
from tests.parts.base_tree import Recipe, base_tree
from tests.parts.docker_registry import docker_registry
from tests.parts.missing import MissingPart

RECIPE = Recipe(
    packages=("ca-certificates", "python3-minimal", "libpython3-stdlib", "python3-pip"),
)
"""A Debian whose Python has pip, which the others install with."""
SCIKIT_LEARN = ("scikit-learn==1.7.2", "numpy==2.2.6", "scipy==1.15.3", "pillow==11.3.0")
TORCH = ("torch==2.13.0+cpu", "numpy==2.2.6")
"""PyTorch's build for processors without a GPU; not every index has it."""
ONE_MORE = "tabulate==0.9.0"
"""The small requirement that is added."""
WHEELS = "wheels"
"""Where the base has the wheels, below its root."""
RUN = """\
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""
CONFIG = 'build:\n  python_version: "3.11"\n  python_requirements: requirements.txt\nrun: "run.py:Runner"\n'
CODE_FILES = 20
"""Modules of the project besides `run.py`, each of a thousand lines."""


@dataclass(frozen=True)
class Site:
    """One registry and what is in it.

    Attributes:
        base: the name of the base there.
        wheels: a folder with what the base has at `/wheels`.
    """

    host: str
    base: str
    wheels: Path


def fetch_wheels(folder: Path, requirements: Sequence[str]) -> Path:
    """Return a folder with the wheels of requirements and of the one more, fetched once.

    Raises:
        MissingPart: they are not in the indexes that pip knows here.
    """
    done = folder / "complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        platforms = ("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64")
        wanted = ("--python-version", "3.11", "--only-binary=:all:", *platforms)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
        asked = [*command, *wanted, *requirements, ONE_MORE]
        if subprocess.run(asked, check=False).returncode:
            raise MissingPart(f"pip cannot fetch {' '.join(requirements)} here")
        done.touch()
    return folder


def write_project(
    folder: Path, requirements: Sequence[str] = SCIKIT_LEARN, weights_bytes: int = 0
) -> Path:
    """Write the project anew."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cog.yaml").write_text(CONFIG)
    (folder / "run.py").write_text(RUN)
    write_requirements(folder, requirements)
    for number in range(CODE_FILES):
        (folder / f"part_{number:02}.py").write_text("value = 1  # a line\n" * 1000)
    if weights_bytes:
        write_noise(folder / "weights.bin", weights_bytes)
    return folder


def write_requirements(folder: Path, lines: Sequence[str]) -> None:
    """Write the project's requirements."""
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))


def write_noise(path: Path, size_bytes: int) -> None:
    """Write a file that no compressor makes smaller, always the same."""
    block = hashlib.shake_256(b"weights").digest(1024 * 1024)
    with path.open("wb") as file:
        for number in range(size_bytes // len(block)):
            # Each block begins differently, and none repeats within a compressor's window.
            file.write(hashlib.sha256(str(number).encode()).digest() + block[32:])


@contextmanager
def site(folder: Path, wheels: Path) -> Generator[Site]:
    """Run a registry that has the base and nothing else.

    Raises:
        MissingPart: the registry or the base cannot be had here.
    """
    tree = base_tree(RECIPE)
    folder.mkdir(parents=True)
    with docker_registry(folder) as host:
        image = _with_wheels(base_image(tree), wheels)
        reference = parse_reference(f"{host}/library/python:3.11-slim")
        with Client() as client:
            push_image(client, reference, image)
        yield Site(host, str(reference), wheels)


def _with_wheels(image: ImageToPush, wheels: Path) -> ImageToPush:
    """Return an image with one layer more, the wheels: so downloads are there for everybody."""
    from cogworks.oci.image import parse_config

    data = _tar(wheels)
    layer = Layer(digest_of(data), digest_of(data), len(data), Codec.NONE)
    before = b"".join(image.blobs[image.manifest.config.digest].open())
    config = parse_config(before).with_layers([layer], [History("COPY wheels /wheels")])
    manifest = Manifest(config.descriptor, (*image.manifest.layers, layer.descriptor))
    own: list[Blob] = [BytesBlob(data), BytesBlob(config.to_bytes())]
    blobs = {**image.blobs, **{one.digest: one for one in own}}
    return replace(image, manifest=manifest, blobs=blobs)


def _tar(wheels: Path) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for path in sorted(wheels.glob("*.whl")):
            info = tarfile.TarInfo(f"{WHEELS}/{path.name}")
            info.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(info, file)
    return output.getvalue()
