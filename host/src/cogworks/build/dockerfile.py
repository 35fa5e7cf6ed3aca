"""The Dockerfile that comes to the same as ``assemble``: for `cog debug`, and for who has to build with Docker; pure.

Everything in it works in docker 20.10's BuildKit as it is: no `# syntax`, no `COPY --link`, no here-document, no named
context, no image but the base. What it copies lies in a context that ``docker_context`` writes:

    packages/requirements.txt, *.whl    the model's packages, exact, with hashes
    server/*.whl                        the server, what it needs, and the SDK
    tools/pip.pyz                       what installs them
    sdk/                                what workers are started from
    python3.12/                         a Python, where the base has none that fits
    weights/, src/                      the project's files
    metadata/                           for /src/.cog
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cogworks.build.dockerfile_values import value_lines
from cogworks.build.image import (
    CMD,
    DEFAULT_USER,
    ENTRYPOINT,
    FIXED_ENVIRONMENT,
    PORT,
    VENV_BIN,
    WORKING_DIR,
    home_of,
    library_folders,
    model_environment,
)
from cogworks.build.products import FIRST_LINE
from cogworks.build.sdk_layer import SDK_TREE
from cogworks.build.server_layer import SERVER
from cogworks.build.stages.command_layer import COMMAND_VARIABLES
from cogworks.build.stages.containerfile import Step, run_instruction
from cogworks.build.stages.stage import Commands, SystemPackages, needed_stages
from cogworks.build.stages.system_layer import apt_command
from cogworks.build.wheel_layer import VENV
from cogworks.project.model import Project

PACKAGES, SERVER_WHEELS, TOOLS, SDK_FOLDER = "packages", "server", "tools", "sdk"
WEIGHTS, SOURCE, METADATA = "weights", "src", "metadata"
"""Folders of the context."""
REQUIREMENTS, PIP = "requirements.txt", "pip.pyz"

_PIP_FLAGS = (
    # pip counts itself as installed, wherever it runs from.
    "--no-index --no-deps --ignore-installed --no-cache-dir --disable-pip-version-check "
    "--root-user-action ignore"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the Dockerfile says beside the project.

    Attributes:
        base: the name of the base image.
        python: the minor version of the model's Python.
        model_python: what starts it, as a command or a path in the image.
        server_python: what starts that of the server.
        brought: folders of the context with Pythons; `python3.12` goes to `/opt/python3.12`.
        weights: files that get layers of their own, relative to the project.
        has_document: whether the context has the model's OpenAPI document.
    """

    base: str
    python: tuple[int, int]
    model_python: str
    server_python: str
    architecture: str = "amd64"
    brought: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    has_packages: bool = False
    has_document: bool = True
    user: str = DEFAULT_USER
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def dockerfile(project: Project, recipe: Recipe) -> str:
    """Return the text.

    Raises:
        BuildError: something cannot be said in a Dockerfile, such as a variable with a line break.
    """
    sections = [
        _header(recipe),
        _system(project),
        _pythons(recipe),
        _packages(recipe),
        _weights(recipe),
        _server(recipe),
        _commands(project, recipe),
        _code(recipe),
        _start(project, recipe),
        _labels(recipe),
    ]
    return "\n\n".join(filter(None, map("\n".join, sections))) + "\n"


def _header(recipe: Recipe) -> Iterator[str]:
    yield FIRST_LINE
    yield "# `cog debug -o FOLDER` writes it together with what it copies, and says how to build that."
    yield f"FROM {recipe.base}"
    yield "USER root"
    folders = ":".join(library_folders(recipe.architecture))
    variables = {**FIXED_ENVIRONMENT, "LD_LIBRARY_PATH": folders}
    for name, value in variables.items():
        before = "${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}" if name == "LD_LIBRARY_PATH" else ""
        yield f"ENV {name}={before}{value}"


def _system(project: Project) -> Iterator[str]:
    for stage in needed_stages(project):
        if isinstance(stage, SystemPackages):
            yield "# System packages."
            yield from _run(apt_command(stage.packages), "rm -rf /var/lib/apt/lists/*")


def _pythons(recipe: Recipe) -> Iterator[str]:
    if recipe.brought:
        yield "# Pythons that the base does not have."
    for name in recipe.brought:
        yield f"COPY {name}/ /opt/{name}/"


def _packages(recipe: Recipe) -> Iterator[str]:
    yield "# The model's packages, in an environment that is first on PATH."
    make = f"{recipe.model_python} -m venv --without-pip /{VENV}"
    if recipe.has_packages:
        listed = f"--find-links /tmp/{PACKAGES} --require-hashes -r /tmp/{PACKAGES}/{REQUIREMENTS}"
        yield from _run(make, _pip(VENV, listed), binds=(TOOLS, PACKAGES))
    else:
        yield from _run(make)
    yield f"ENV PATH={VENV_BIN}:$PATH"


def _weights(recipe: Recipe) -> Iterator[str]:
    if recipe.weights:
        yield "# Weights: a layer for each file, which an edit of the code never touches."
    for path in recipe.weights:
        source = f"{WEIGHTS}/{path}".translate(_LITERAL)
        yield f"COPY {json.dumps([source, f'{WORKING_DIR}/{path}'], ensure_ascii=False)}"


_LITERAL = str.maketrans({"[": "[[]", "*": "[*]", "?": "[?]", "\\": "[\\]"})
"""`COPY` takes its source for a pattern."""


def _server(recipe: Recipe) -> Iterator[str]:
    yield "# The prediction server, in an environment of its own; of it the model sees the SDK, and nothing else."
    make = f"{recipe.server_python} -m venv --without-pip /{SERVER}"
    wheels = f"/tmp/{SERVER_WHEELS}/*.whl"
    yield from _run(make, _pip(SERVER, wheels), binds=(TOOLS, SERVER_WHEELS))
    yield f"COPY {SDK_FOLDER}/ /{SDK_TREE}/"
    library = f"/{VENV}/lib/python{'.'.join(map(str, recipe.python))}/site-packages"
    install = _pip(VENV, f"/tmp/{SERVER_WHEELS}/cogworks_sdk-*.whl")
    link = f"ln -s {library}/cog /{SDK_TREE}/cog"
    yield from _run(install, link, binds=(TOOLS, SERVER_WHEELS))


def _commands(project: Project, recipe: Recipe) -> Iterator[str]:
    variables = model_environment(project)
    if variables:
        yield "# The project's variables."
    for name, value in variables.items():
        yield from value_lines(
            "ENV", name, value, f"{project.config_path.name}: environment: {name}"
        )
    for stage in needed_stages(project):
        if isinstance(stage, Commands):
            yield "# The project's commands. Installers work on the model's packages."
            for name, value in COMMAND_VARIABLES.items():
                yield f"ARG {name}={value}"
            for one in stage.commands:
                where = f"{one.place}: {one.key}"
                yield run_instruction(Step(one.command.command, where, one.command.mounts))


def _code(recipe: Recipe) -> Iterator[str]:
    yield "# The project."
    yield f"COPY {SOURCE}/ {WORKING_DIR}/"
    if recipe.has_document:
        yield f"COPY {METADATA}/ {WORKING_DIR}/.cog/"


def _start(project: Project, recipe: Recipe) -> Iterator[str]:
    yield "# How a container is started."
    for name, value in home_of(recipe.user).items():
        yield f"ENV {name}={value}"
    yield f"WORKDIR {WORKING_DIR}"
    yield f"EXPOSE {PORT}"
    yield f"USER {recipe.user}"
    yield f"ENTRYPOINT {json.dumps(ENTRYPOINT)}"
    yield f"CMD {json.dumps(CMD)}"


def _labels(recipe: Recipe) -> Iterator[str]:
    if recipe.labels:
        yield "# What the image says of itself."
    for name, value in recipe.labels.items():
        yield from value_lines("LABEL", name, value, f"the label {name}")


def _run(*commands: str, binds: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines of a `RUN`; folders of the context are bound below `/tmp`, and not copied."""
    mounts = [f"--mount=type=bind,source={name},target=/tmp/{name}" for name in binds]
    first, *rest = commands
    lines = [*mounts, first, *(f"&& {one}" for one in rest)]
    last = len(lines) - 1
    for number, line in enumerate(lines):
        yield ("    " if number else "RUN ") + line + (" \\" if number < last else "")


def _pip(prefix: str, what: str) -> str:
    return f"/{prefix}/bin/python /tmp/{TOOLS}/{PIP}/pip install {_PIP_FLAGS} {what}"
