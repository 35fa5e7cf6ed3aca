"""Wheels built inside the image, on the base and its system packages: for the same C library, with the model's Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cogworks.build.cache import CachedLayer
from cogworks.build.errors import BuildError, CommandError, StageError
from cogworks.build.image import Start, image_environment
from cogworks.build.indexes import Indexes
from cogworks.build.lock import LockedSource
from cogworks.build.stages.below import Below, LocalLayer
from cogworks.build.stages.command_layer import COMMAND_VARIABLES
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.diff import Diff
from cogworks.build.stages.engine import Job
from cogworks.build.stages.installer import installer_wheels
from cogworks.build.stages.layer_tar import content_of
from cogworks.build.stages.secrets import Secret, SecretSource
from cogworks.build.stages.source_archive import filename_of
from cogworks.build.stages.stage_layer import BUILD_VARIABLES, run_job
from cogworks.build.stages.tools import Workshop, is_loopback
from cogworks.build.venv_layer import venv_layer
from cogworks.build.wheel_layer import VENV
from cogworks.build.wheel_set import wheels_layer
from cogworks.project.model import SecretMount

_SETTINGS = ("PIP_CONFIG_FILE", "cogworks-pip", "COGWORKS_PIP_CONFIG")
_NETRC = ("NETRC", "cogworks-netrc", "COGWORKS_NETRC")
"""How pip's settings and passwords come to pip: the variable that names their file there, the secret, and the variable of the
builder that has the text. No file is written here."""
_NO_COMPILER = re.compile(
    r"No such file or directory: '[^']*(?:gcc|g\+\+|cc|c\+\+|clang|gfortran)'"
    r"|(?:gcc|g\+\+|cc|c\+\+|clang)'? failed: No such file"
    r"|(?:gcc|g\+\+|cc|c\+\+|clang|make): (?:command )?not found"
    r"|Unable to find a compiler|No CMAKE_C(?:XX)?_COMPILER could be found|Unknown compiler\(s\)|linker `cc` not found"
)
"""What build tools say where there is no compiler."""
_NO_HEADERS = re.compile(r"Python\.h: No such file")
_ADVICE = (
    (_NO_COMPILER, "The base has no compiler. Add build-essential to build.system_packages."),
    (
        _NO_HEADERS,
        "The base has no headers of its Python. Add python3-dev to build.system_packages.",
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where wheels are built.

    Attributes:
        interpreter: the model's Python in the image.
        lower: the layers between the base and the model's environment.
    """

    interpreter: str
    lower: tuple[CachedLayer, ...]


def build_native_wheels(
    shop: Workshop,
    place: Place,
    sources: Sequence[LockedSource],
    archives: Mapping[str, Path],
    indexes: Indexes,
    folder: Path,
) -> dict[str, Path]:
    """Return the wheels of sources by the names of their packages, all built in one go.

    Args:
        archives: files of sources by the names of their packages.
        folder: an empty one, in which the wheels will be.

    Raises:
        NoEngineError: there is no engine.
        BuildError: one cannot be built.
    """
    # An engine is asked for before anything else is fetched.
    name = shop.engine.name
    shop.progress.stage(f"Building wheels with {name}: {', '.join(one.title for one in sources)}")
    try:
        diff = run_job(shop, _job(shop, place, sources, archives, indexes), folder)
    except CommandError as error:
        advice = next((text for sign, text in _ADVICE if sign.search(str(error))), None)
        if advice is None:
            raise
        raise StageError(f"{error}\n{advice}") from error
    return {one.name: _wheel(one, number, diff, folder) for number, one in enumerate(sources)}


def _wheel(source: LockedSource, number: int, diff: Diff, folder: Path) -> Path:
    """Write a wheel out of what the commands changed."""
    start = f"wheels/{number}/"
    nodes = [node for path, node in diff.nodes.items() if path.startswith(start)]
    if len(nodes) != 1 or nodes[0].content is None:
        raise BuildError(f"{source.title}: its build has made no wheel.")
    wheel = folder / nodes[0].path.removeprefix(start)
    with wheel.open("xb") as file:
        for block in content_of(nodes[0].content):
            file.write(block)
    return wheel


def _job(
    shop: Workshop,
    place: Place,
    sources: Sequence[LockedSource],
    archives: Mapping[str, Path],
    indexes: Indexes,
) -> Job:
    cache, target = shop.cache, shop.base.target
    venv = venv_layer(cache, target.python, place.interpreter, shop.codec)
    wheels = installer_wheels(target, cache, shop.progress, shop.environment)
    pip = wheels_layer(cache, wheels, target.python, None, shop.codec)
    ours = (LocalLayer(one.layer, one.path) for one in (*place.lower, venv, pip))
    texts = ((_SETTINGS, indexes.pip_config()), (_NETRC, indexes.netrc()))
    told = [(names, text) for names, text in texts if text]
    mounts = tuple(SecretMount(id, f"/run/secrets/{id}") for (_, id, _), _ in told)
    environment = {
        **image_environment(shop.base.image.config, Start(user="root")),
        **BUILD_VARIABLES,
        **COMMAND_VARIABLES,
        **{variable: f"/run/secrets/{id}" for (variable, id, _), _ in told},
    }
    names = {one.name: f"{number}-{filename_of(one)}" for number, one in enumerate(sources)}
    return Job(
        Below(target.platform, environment, (*shop.base_layers, *ours)),
        tuple(
            Step(_command(one, number, names[one.name]), one.title, mounts, _shown(one))
            for number, one in enumerate(sources)
        ),
        {names[one.name]: archives[one.name] for one in sources},
        tuple(
            Secret(SecretSource(id, variable=source), text.encode())
            for (_, id, source), text in told
        ),
        replace(shop.network, is_host=shop.network.is_host or _has_loopback(indexes)),
        variables={source: text for (_, _, source), text in told},
    )


def _command(source: LockedSource, number: int, name: str) -> str:
    """Return what builds a wheel, at a path that is always the same: compilers write it into what they make."""
    folder = f"/build/{number}"
    python = f"/{VENV}/bin/python"
    unpack = f"import shutil; shutil.unpack_archive({f'/{name}'!r}, {folder!r})"
    place = shlex.quote(source.subdirectory) if source.subdirectory else "."
    wheel = f"{python} -m pip wheel --no-deps --wheel-dir /wheels/{number} ."
    return f"mkdir -p {folder} && {python} -c {shlex.quote(unpack)} && cd {folder}/* && cd {place} && {wheel}"


def _shown(source: LockedSource) -> str:
    return f"pip wheel {filename_of(source)}"


def _has_loopback(indexes: Indexes) -> bool:
    return any(is_loopback(url) for url in indexes.urls)
