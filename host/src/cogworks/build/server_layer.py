"""The server's own environment at `/opt/cogworks`: nothing of it is importable for the model.

It has the model's Python, or one of its own where that is too old; our two distributions, what they need, and dumb-init, the first process of a container. A
model may so pin any version of any package that the server uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.late_wheels import LateWheels
from cogworks.build.layer_key import layer_key
from cogworks.build.lock import read_lock
from cogworks.build.locked_wheels import locked_wheels
from cogworks.build.own_wheels import HOST, SDK, own_wheel
from cogworks.build.packer import Summary, with_parents, write_layer
from cogworks.build.target import Target
from cogworks.build.venv_layer import venv_members
from cogworks.build.wheel_set import WheelFile, wheel_contents, wheels_key
from cogworks.engines.progress import Details, Progress
from cogworks.oci.layer import Codec
from cogworks.project.model import Build, Project

SERVER = "opt/cogworks"
INIT = "dumb-init>=1.2.5"
PACKAGES = Path(__file__).with_name("prediction-server.txt")
"""Exact versions with hashes, so that the same project is the same image tomorrow; `scripts/lock` writes it."""
TABLE = Path(__file__).with_name("pylock.prediction-server.toml")
"""The wheels of that list, without the places where they are; written by `scripts/lock`, too."""
COMMAND_ONLY = frozenset(
    {"click", "filelock", "isal", "rich", "uv", "watchfiles", "zstandard"},
)
"""What our distribution requires for its commands; the server does without."""


def server_wheels(
    target: Target,
    cache: Cache,
    progress: Progress,
    environment: Mapping[str, str],
    packages: Path = PACKAGES,
) -> list[WheelFile]:
    """Return the wheels of the server's environment. Where ours are is asked only when one has to come here.

    Args:
        target: with the server's Python.
        environment: the variables that uv runs under, and that name indexes and their credentials.
        packages: a requirements file of what the server needs, all of it.

    Raises:
        BuildError: the packages cannot be resolved or fetched.
    """
    build = Build(python_version=target.python_version, requirements_file=packages)
    needs = Project(packages.parent, packages, build)

    def locate(progress: Progress) -> list[WheelFile]:
        return locked_wheels(needs, target, cache, progress, environment)[0]

    def locate_late() -> list[WheelFile]:
        # While other layers are packed.
        found = locate(Details(progress))
        progress.line("Fetching the server's packages")
        return found

    is_ours = packages == PACKAGES
    wheels = _listed(target, cache, LateWheels(cache, locate_late)) if is_ours else locate(progress)
    return [*wheels, *(own_wheel(name, cache) for name in (SDK, HOST))]


def _listed(target: Target, cache: Cache, source: LateWheels) -> list[WheelFile]:
    """Return the wheels of the table that are for a target."""
    found = read_lock(TABLE.read_text(encoding="utf-8"), TABLE.parent, target)
    return [
        WheelFile(
            *(one.name, one.filename, one.digest, cache.wheel_path(one.digest)),
            one.size_bytes or 0,
            source,
        )
        for one in found.wheels
    ]


def server_layer(
    cache: Cache,
    wheels: Sequence[WheelFile],
    python: tuple[int, int],
    interpreter: str,
    compiler: Compiler | None,
    codec: Codec,
) -> CachedLayer:
    """Return the layer of the server's environment; it is packed unless the cache has it.

    Args:
        interpreter: the absolute path of its Python in the image.
    """

    def make(path: Path) -> Summary:
        with wheel_contents(cache, wheels, python, compiler, SERVER) as contents:
            whole = [*venv_members(python, interpreter, SERVER), *contents.members]
            summary = write_layer(with_parents(whole), codec, path)
            return replace(summary, facts=contents.facts)

    key = layer_key("server", interpreter, wheels_key(wheels, python, compiler, SERVER))
    return cache.layer(key, codec, make, "server", is_shared=True)
