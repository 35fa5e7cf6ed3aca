"""A folder that Docker can build the image of a project from: the Dockerfile and everything that it copies.

What has to be fetched is fetched here, with the credentials of this machine: the build itself asks no index, and nothing
secret comes into the folder. `dockerfile.py` draws what is in it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cogworks.build.assemble import How
from cogworks.build.base_image import Base
from cogworks.build.cache import Cache
from cogworks.build.code_layer import SCHEMA_NAME
from cogworks.build.context import Context, SourceFile, read_context
from cogworks.build.dockerfile import (
    METADATA,
    PACKAGES,
    PIP,
    REQUIREMENTS,
    SDK_FOLDER,
    SERVER_WHEELS,
    SOURCE,
    TOOLS,
    WEIGHTS,
    Recipe,
    dockerfile,
)
from cogworks.build.errors import BuildError
from cogworks.build.labels import FREEZE, image_labels
from cogworks.build.layout import check_above
from cogworks.build.locked_wheels import locked_wheels
from cogworks.build.products import DOCKERFILE, FREEZE_FILE, is_docker_context
from cogworks.build.pythons import Pythons, find_pythons
from cogworks.build.sbom import LABEL as SBOM
from cogworks.build.sdk_layer import MAIN
from cogworks.build.server_layer import server_wheels
from cogworks.build.stages.installer import installer_wheels
from cogworks.build.stages.stage import Commands, needed_stages
from cogworks.build.standalone import prefix_of
from cogworks.build.wheel_set import WheelFile, bring, coming, start
from cogworks.engines.progress import Progress
from cogworks.oci.documents import Json, canonical_json
from cogworks.project.model import Project


@dataclass(frozen=True, slots=True)
class DockerContext:
    """What was written.

    Attributes:
        secrets: the ids of secrets that commands ask for.
        notices: whole sentences.
    """

    folder: Path
    secrets: tuple[str, ...]
    notices: tuple[str, ...]


def labels_of(
    project: Project, document: Mapping[str, Json], revision: Mapping[str, str]
) -> dict[str, str]:
    """Return the labels of an image that a Dockerfile can say and keep true: Docker attaches no bill of materials."""
    labels = image_labels(project, document, (), b"", revision)
    return {name: value for name, value in labels.items() if name not in (FREEZE, SBOM)}


def write_context(
    folder: Path,
    project: Project,
    base: Base,
    cache: Cache,
    progress: Progress,
    how: How,
    environment: Mapping[str, str],
) -> DockerContext:
    """Write the folder, whole or not at all; one that was written before is replaced.

    Args:
        environment: the variables that uv runs under, and that name indexes and their credentials.

    Raises:
        BuildError: the folder holds something else or cannot be written, or packages cannot be had.
    """
    _check(folder)
    context = _without(read_project(project, how), project.directory, folder)
    pythons = find_pythons(base, project.build.python_version, cache, progress, environment)
    wheels, notices = locked_wheels(project, base.target, cache, progress, environment)
    installer = installer_wheels(base.target, cache, progress, environment)
    packages = wheels
    if any(isinstance(one, Commands) for one in needed_stages(project)):
        there = {one.name for one in wheels}
        packages = [*wheels, *(one for one in installer if one.name not in there)]
    server = server_wheels(pythons.server.target, cache, progress, environment, how.server_packages)
    document = how.document or {}
    recipe = _recipe(project, base, pythons, context, how, bool(packages))
    fetched = [*packages, *installer, *server]
    with coming(fetched):
        start(fetched)
        bring(fetched)
    progress.stage(f"Writing {folder}")
    with _replacing(folder) as new:
        (new / DOCKERFILE).write_text(dockerfile(project, recipe), encoding="utf-8")
        _write_wheels(new / PACKAGES, packages)
        _write(new / PACKAGES / REQUIREMENTS, _requirements(packages))
        _write_wheels(new / SERVER_WHEELS, server)
        _copy(next(one.path for one in installer if one.name == "pip"), new / TOOLS / PIP)
        _write(new / SDK_FOLDER / "__main__.py", MAIN)
        for python in pythons.brought:
            name = prefix_of(python.minor).rpartition("/")[2]
            shutil.copytree(python.folder, new / name, symlinks=True)
        _write(new / FREEZE_FILE, "\n".join(_freeze(wheels)).encode())
        _write_project(new, context)
        if document:
            _write(new / METADATA / SCHEMA_NAME, canonical_json(document))
    ids = [mount.id for one in project.build.run for mount in one.mounts]
    told = (*notices, *context.warnings)
    return DockerContext(folder, tuple(dict.fromkeys(ids)), told)


def read_project(project: Project, how: How) -> Context:
    """Return the project's files."""
    return read_context(
        project.directory,
        how.weight_patterns,
        separate_weights=how.separate_weights,
        secret_files=how.secret_files,
    )


def _recipe(
    project: Project, base: Base, pythons: Pythons, context: Context, how: How, has_packages: bool
) -> Recipe:
    name = replace(base.reference, digest=None).familiar
    return Recipe(
        base=f"{name}@{base.digest}",
        python=pythons.model.target.python,
        model_python=pythons.model.interpreter,
        server_python=pythons.server.interpreter,
        architecture=base.target.platform.architecture,
        brought=tuple(prefix_of(one.minor).rpartition("/")[2] for one in pythons.brought),
        weights=tuple(one.path for one in context.weights),
        has_packages=has_packages,
        has_document=bool(how.document),
        user=how.user,
        labels=labels_of(project, how.document or {}, how.revision),
    )


def _check(folder: Path) -> None:
    """Refuse a folder that holds what was not written here, and one that cannot be written."""
    check_above(folder)
    if not folder.exists():
        return
    try:
        is_free = folder.is_dir() and (not any(folder.iterdir()) or is_docker_context(str(folder)))
    except OSError as error:
        raise BuildError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not is_free:
        raise BuildError(
            f"{folder} is neither empty nor a context of `cog debug`; nothing was written. Name another folder."
        )


def _without(context: Context, directory: Path, folder: Path) -> Context:
    """Return a context without the folder that is written, if it lies in the project."""
    try:
        inside = folder.absolute().relative_to(directory.absolute()).as_posix()
    except ValueError:
        return context
    start = f"{inside}/"
    return replace(
        context,
        code=tuple(one for one in context.code if not one.path.startswith(start)),
        weights=tuple(one for one in context.weights if not one.path.startswith(start)),
        folders=tuple(one for one in context.folders if not f"{one}/".startswith(start)),
        links=tuple(one for one in context.links if not one[0].startswith(start)),
    )


@contextmanager
def _replacing(folder: Path) -> Generator[Path]:
    """Yield a new folder beside one, which takes its place at the end of the block."""
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        new.mkdir(parents=True)
        yield new
        # Whatever the machine's umask: in the image, user 1000 has to be able to enter them.
        for place, _, _ in os.walk(new):
            os.chmod(place, 0o755)
        if folder.exists():
            old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
            folder.rename(old)
            shutil.rmtree(old)
        new.rename(folder)
    except OSError as error:
        where = error.filename or folder
        raise BuildError(f"{where} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write_project(new: Path, context: Context) -> None:
    source = new / SOURCE
    source.mkdir()
    for folder in context.folders:
        (source / folder).mkdir(parents=True, exist_ok=True)
    _copy_files(context.directory, context.code, source)
    _copy_files(context.directory, context.weights, new / WEIGHTS)
    for path, target in context.links:
        link = source / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


def _copy_files(directory: Path, files: Iterable[SourceFile], target: Path) -> None:
    for one in files:
        _copy(directory / one.path, target / one.path, is_executable=one.is_executable)


def _write_wheels(folder: Path, wheels: Iterable[WheelFile]) -> None:
    folder.mkdir()
    for wheel in wheels:
        _copy(wheel.path, folder / wheel.filename)


def _requirements(wheels: Iterable[WheelFile]) -> bytes:
    lines = (
        f"{one.name}=={one.version} --hash=sha256:{one.digest.hex}\n"
        for one in sorted(wheels, key=lambda one: one.name)
    )
    return "".join(lines).encode()


def _freeze(wheels: Iterable[WheelFile]) -> list[str]:
    return sorted(f"{one.name}=={one.version}" for one in wheels)


def _copy(source: Path, target: Path, *, is_executable: bool = False) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if is_executable else 0o644)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.chmod(path, 0o644)
