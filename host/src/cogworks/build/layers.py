"""From a project to its layers on disk, lowest first: lock, wheels, packing, all of it reused where it can be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.code_layer import code_layer, metadata_layer, weights_layer
from cogworks.build.context import Context, read_context
from cogworks.build.disk_errors import disk_errors_told
from cogworks.build.excluded_modules import excluded_notices
from cogworks.build.grouping import Group, Item, Section, fit, group
from cogworks.build.index_credentials import has_password
from cogworks.build.locked_wheels import BuildSources, locked_wheels
from cogworks.build.target import Target
from cogworks.build.venv_layer import venv_layer
from cogworks.build.wheel_set import (
    WheelFile,
    bring,
    coming,
    find_conflicts,
    give_up,
    start,
    wheels_key,
    wheels_layer,
)
from cogworks.engines.inputs import read_requirements
from cogworks.engines.progress import Progress
from cogworks.oci.layer import Codec
from cogworks.project.model import Project

FIXED_LAYERS = 3
"""The environment itself, the code, the metadata."""
GIVE_UP_EVERY_S = 0.05
JOBS_MAX = 8
"""Layers packed at once; each holds about 3 MiB."""


@dataclass(frozen=True, slots=True)
class NamedLayer:
    """A layer, with what is in it for people."""

    title: str
    cached: CachedLayer


OnLayer = Callable[[NamedLayer], object]


@dataclass(frozen=True, slots=True)
class Options:
    """How layers are made.

    Attributes:
        interpreter: the absolute path of the model's Python.
        compiler: compiles modules for it; None leaves them as they are.
        layer_limit: how many layers the project may have beside the base's.
        bytecode: whether compiled modules are wanted; a notice says if there is no compiler.
        with_code: whether there is a layer of the project's files.
        on_layer: hears of each layer, in order, as soon as it is there.
        build_sources: builds wheels of packages that have none for the target; without it, such a package is an error.
        secret_files: were given as secrets, so that they never come along.
    """

    interpreter: str
    compiler: Compiler | None = None
    codec: Codec = Codec.GZIP
    layer_limit: int = 100
    weight_patterns: tuple[str, ...] = ()
    separate_weights: bool = False
    bytecode: bool = True
    keep_lock: bool = False
    with_code: bool = True
    jobs: int = 0
    on_layer: OnLayer | None = None
    build_sources: BuildSources | None = None
    secret_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectLayers:
    """All layers of a project above its base.

    Attributes:
        lower: the environment, packages and weights: what lies below the server, lowest first.
        upper: the code and its metadata: what lies above the server.
        beside, beside_wheels: the layers that were made beside them, and their packages.
        notices: whole sentences.
        wheels: the packages in the layers.
        conflicts: those of the notices that are known only where something was packed anew.
    """

    lower: tuple[NamedLayer, ...]
    upper: tuple[NamedLayer, ...]
    notices: tuple[str, ...]
    beside: tuple[NamedLayer, ...] = ()
    beside_wheels: tuple[WheelFile, ...] = ()
    wheels: tuple[WheelFile, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def freeze(self) -> tuple[str, ...]:
        """The packages in the layers, `name==version`, sorted."""
        return tuple(sorted(f"{one.name}=={one.version}" for one in self.wheels))

    @property
    def layers(self) -> tuple[NamedLayer, ...]:
        """All of them, lowest first."""
        return (*self.lower, *self.upper)


MakeLayer = Callable[[], CachedLayer]
Step: TypeAlias = tuple[str, MakeLayer]
"""What is in a layer, and what makes it."""


@dataclass(frozen=True, slots=True)
class Others:
    """Layers that are made at the same time as the project's, so that no core waits for the last one; and their packages."""

    steps: Sequence[Step] = ()
    wheels: Sequence[WheelFile] = ()


def make_layers(
    project: Project,
    target: Target,
    cache: Cache,
    progress: Progress,
    options: Options,
    metadata: Mapping[str, bytes],
    environment: Mapping[str, str],
    find_others: Callable[[], Others] = Others,
) -> ProjectLayers:
    """Return the layers of a project.

    Args:
        metadata: files for `/src/.cog`, such as `openapi_schema.json`.
        find_others: tells what is made beside them; called when the project's packages are known.
        environment: the variables that uv runs under, and that name indexes and their credentials.

    Raises:
        BuildError: a subclass says at which step.
        RequirementsError: the project's requirements have problems.
    """
    with disk_errors_told(cache.root):
        return _make_layers(
            project, target, cache, progress, options, metadata, environment, find_others
        )


def _make_layers(
    project: Project,
    target: Target,
    cache: Cache,
    progress: Progress,
    options: Options,
    metadata: Mapping[str, bytes],
    environment: Mapping[str, str],
    find_others: Callable[[], Others],
) -> ProjectLayers:
    context = Context(project.directory, (), (), (), ())
    if options.with_code:
        context = read_context(
            project.directory,
            options.weight_patterns,
            separate_weights=options.separate_weights,
            secret_files=options.secret_files,
        )
    wheels, notices = locked_wheels(
        project,
        target,
        cache,
        progress,
        environment,
        keep_lock=options.keep_lock,
        build_sources=options.build_sources,
    )
    compiler = options.compiler if options.bytecode else None
    if wheels and options.bytecode and compiler is None:
        notices.append(
            f"No Python {target.python_version} is on this machine: the packages are not compiled "
            "ahead, and the first import in a new container takes longer."
        )
    others = find_others()
    needed = [*wheels, *others.wheels]
    conflicts: list[str] = []
    with coming(needed):
        steps, new = _plan(context, wheels, target, cache, compiler, options)
        lower = len(steps)
        if options.with_code:
            steps.append(("code", partial(code_layer, cache, context, options.codec)))
        steps.append(("metadata", partial(metadata_layer, cache, metadata, options.codec)))
        upper = len(steps)

        def compare() -> None:
            # An edit of the code changes nothing between wheels, and looking into all of them takes a while.
            if new:
                bring(new)
                found = find_conflicts(_in_order(context, wheels, options), target.python)
                conflicts.extend(map(str, found))

        progress.stage("Packing layers")
        layers = run_steps(
            [*steps, *others.steps],
            options.jobs,
            options.on_layer,
            partial(end_all, cache, needed),
            compare,
        )
    told = (*notices, *conflicts, *_passwords_in_files(project, context), *context.warnings)
    if options.with_code:
        code = {one.path for one in (*context.code, *context.weights)}
        told += tuple(excluded_notices(str(project.directory), (project.run, project.train), code))
    return ProjectLayers(
        lower=layers[:lower],
        upper=layers[lower:upper],
        notices=told,
        beside=layers[upper:],
        beside_wheels=tuple(others.wheels),
        wheels=tuple(wheels),
        conflicts=tuple(conflicts),
    )


def _passwords_in_files(project: Project, context: Context) -> Iterator[str]:
    """Warn of a password that everybody who has the image will have, because a file of the project has it."""
    source = project.build.requirements_file or project.config_path
    if source.suffix == ".toml" or not any(one.path == source.name for one in context.code):
        return
    requirements = read_requirements(project)
    if has_password((*requirements.lines, *requirements.options)):
        yield (
            f"{source.name} has the URL of an index with its password, and the file becomes part of the image. "
            "Give the password in UV_INDEX_<NAME>_PASSWORD, in uv's or pip's settings or in a netrc file."
        )


def _groups(context: Context, wheels: Sequence[WheelFile], options: Options) -> list[Group]:
    items = [Item(one.name, one.size_bytes) for one in wheels]
    weights = [Item(one.path, one.size_bytes) for one in context.weights]
    return fit(group(items, weights), options.layer_limit - FIXED_LAYERS)


def _plan(
    context: Context,
    wheels: Sequence[WheelFile],
    target: Target,
    cache: Cache,
    compiler: Compiler | None,
    options: Options,
) -> tuple[list[Step], list[WheelFile]]:
    """Return (title, what makes the layer) for the environment, wheels and weights; and the wheels that have to come."""
    by_name = {one.name: one for one in wheels}
    weights = {one.path: one for one in context.weights}
    make_venv = partial(venv_layer, cache, target.python, options.interpreter, options.codec)
    steps: list[Step] = [("environment", make_venv)]
    keyed: dict[str, list[WheelFile]] = {}
    for one in _groups(context, wheels, options):
        names = [item.name for item in one.items]
        title = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        if one.section is Section.WEIGHTS:
            files = [weights[name] for name in names]
            steps.append((title, partial(weights_layer, cache, context, files, options.codec)))
        else:
            chosen = [by_name[name] for name in names]
            keyed[wheels_key(chosen, target.python, compiler)] = chosen
            make = partial(wheels_layer, cache, chosen, target.python, compiler, options.codec)
            steps.append((title, make))
    missing = cache.missing(list(keyed), options.codec)
    new = [one for key, wheels in keyed.items() if key in missing for one in wheels]
    start(new)
    return steps, new


def _in_order(context: Context, wheels: Sequence[WheelFile], options: Options) -> list[WheelFile]:
    """Return the wheels as the image has them: a later one lies above an earlier one."""
    by_name = {one.name: one for one in wheels}
    groups = _groups(context, wheels, options)
    names = [
        item.name for one in groups for item in one.items if one.section is not Section.WEIGHTS
    ]
    return [by_name[name] for name in names]


def end_all(cache: Cache, wheels: Sequence[WheelFile]) -> None:
    """End what steps wait for, and what they write."""
    give_up(wheels)
    cache.abandon()


def run_steps(
    steps: Sequence[Step],
    jobs: int,
    on_layer: OnLayer | None = None,
    give_up: Callable[[], object] | None = None,
    last: Callable[[], object] | None = None,
) -> tuple[NamedLayer, ...]:
    """Make (title, layer), several at once; how many does not change a byte of them.

    Args:
        on_layer: hears of each, in order.
        give_up: is called when one fails, and ends what the others wait for.
        last: is done by whoever has no layer left to begin.
    """
    workers = jobs or min(JOBS_MAX, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        futures = [(title, pool.submit(make)) for title, make in steps]
        ended = pool.submit(last) if last is not None else None
        try:
            made: list[NamedLayer] = []
            for title, future in futures:
                cached = future.result()
                made.append(NamedLayer(title, cached))
                if on_layer is not None:
                    on_layer(made[-1])
            if ended is not None:
                ended.result()
            return tuple(made)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            if give_up is not None:
                running: list[Future[Any]] = [one for _, one in futures]
                _end([*running, ended] if ended is not None else running, give_up)
            raise


def _end(futures: Sequence[Future[Any]], give_up: Callable[[], object]) -> None:
    """Call ``give_up`` until nothing is made any more: some may have been about to begin."""
    while running := [one for one in futures if not one.done()]:
        give_up()
        wait(running, GIVE_UP_EVERY_S)
