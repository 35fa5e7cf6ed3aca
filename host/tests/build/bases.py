"""A tiny base image in a registry, and the wheels that the server's environment needs, made by the tests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

from cogworks.build.base_image import Base, find_base
from cogworks.build.cache import Cache
from cogworks.build.server_layer import COMMAND_ONLY
from cogworks.oci.digest import digest_of
from cogworks.oci.image import History, ImageConfig, RunConfig
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import Platform, parse_platform
from cogworks.oci.reference import Reference, parse_reference
from cogworks.oci.tar import Directory, File, archive
from cogworks.registry.blobs import BytesBlob
from cogworks.registry.client import Client
from cogworks.registry.push import ImageToPush, push_image

from .conftest import write_wheel

AMD64 = parse_platform("linux/amd64")
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHON_VERSION": "3.11.7"}
DEBIAN = "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'"


def base_layers(count: int = 1) -> list[bytes]:
    return [
        b"".join(
            archive([(Directory("base"), ()), (File(f"base/{number:03}", 6), (b"%06d" % number,))])
        )
        for number in range(count)
    ]


def push_base(
    client: Client,
    host: str,
    *,
    env: Mapping[str, str] = ENV,
    created_by: str = DEBIAN,
    layers: Sequence[bytes] = (),
    platform: Platform = AMD64,
    labels: Mapping[str, str] | None = None,
    name: str = "library/python:3.11-slim",
) -> Reference:
    data = list(layers) or base_layers()
    packed = [Layer(digest_of(one), digest_of(one), len(one), Codec.NONE) for one in data]
    run = RunConfig(dict(env), cmd=("bash",), labels=dict(labels or {}))
    config = ImageConfig(platform, run).with_layers(packed, [History(created_by)] * len(packed))
    manifest = Manifest(config.descriptor, tuple(one.descriptor for one in packed))
    blobs = [BytesBlob(one) for one in (*data, config.to_bytes())]
    reference = parse_reference(f"{host}/{name}")
    push_image(client, reference, ImageToPush(manifest, {one.digest: one for one in blobs}))
    return reference


def pull_base(client: Client, reference: Reference, cache: Cache) -> Base:
    return find_base(lambda: client, reference, AMD64, (3, 11), cache)


def write_server_wheels(folder: Path) -> Path:
    """Write an empty wheel for everything that the server needs; return the list of them."""
    needs: list[str] = []
    for line in requires("cogworks") or []:
        requirement = Requirement(line)
        name = requirement.name.replace("-", "_").replace(".", "_")
        is_wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_wanted and name != "cogworks_sdk" and requirement.name not in COMMAND_ONLY:
            write_wheel(folder, name, "99.0")
            needs.append(f"{requirement.name}==99.0\n")
    program = {"dumb_init-1.2.5.data/scripts/dumb-init": b"\x7fELF, as it were"}
    write_wheel(folder, "dumb_init", "1.2.5", files=program)
    listed = folder.with_name("server-packages.txt")
    listed.write_text("".join([*needs, "dumb-init==1.2.5\n"]))
    return listed


def offline(root: Path, packages: Path) -> dict[str, str]:
    """Return variables under which uv knows one folder of wheels and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(packages),
        "UV_CACHE_DIR": str(root / "uv-cache"),
    }


class Quiet:
    """A display that shows nothing."""

    def stage(self, text: str) -> None:
        pass

    def line(self, text: str) -> None:
        pass

    def done(self, text: str) -> None:
        pass
