"""What `build` and `push` have in common: from options to a project, a builder, and an image with its account of itself."""

from __future__ import annotations

import platform
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cogworks.cli.account import Rows, account_rows
from cogworks.cli.build_display import (
    BuildDisplay,
    LayerLine,
    choose_build_display,
    is_json_wanted,
)
from cogworks.cli.build_options import BuildOptions
from cogworks.cli.console import JsonConsole
from cogworks.cli.errors import NotAvailable, OptionError
from cogworks.cli.prepare import (
    Options,
    describe_model,
    find_cache_dir,
    keep_within_limits,
    open_project,
    read_document,
)
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage, How
    from cogworks.build.base_image import Base
    from cogworks.build.builder import Builder
    from cogworks.build.layer_index import LayerIndex
    from cogworks.build.layers import NamedLayer
    from cogworks.build.plan import Step
    from cogworks.oci.platform import Platform
    from cogworks.oci.reference import Reference
    from cogworks.project import Project
    from cogworks.project.base_choice import BaseChoice
    from cogworks.registry.client import Client


class Registries:
    """The client of registries, made when it is first needed: loading it takes time."""

    def __init__(self, state: State, options: BuildOptions) -> None:
        self._state, self._options = state, options
        self._stack = ExitStack()

    @cached_property
    def client(self) -> Client:
        """The client, with the user's credentials."""
        from cogworks.registry.client import Client
        from cogworks.registry.credentials import credential_store

        store = credential_store(self._state.environ, Path.home())
        insecure = self._options.insecure_registries
        client = self._stack.enter_context(Client(store, insecure_registries=insecure))
        # Threads that wait for a silent registry hear no signal.
        self._state.on_stop.append(client.cut)
        return client

    def close(self) -> None:
        """Close its connections."""
        self._stack.close()


@dataclass(frozen=True)
class Building:
    """One call of `cog build` or `cog push`, before and while it works.

    Attributes:
        document: the OpenAPI document; empty where it is left out.
        base_choice: what the image rests on, and why.
    """

    state: State
    options: BuildOptions
    project: Project
    document: dict[str, Any]
    base_choice: BaseChoice
    display: BuildDisplay
    registries: Registries

    @cached_property
    def builder(self) -> Builder:
        """What makes images."""
        from cogworks.build.builder import Builder
        from cogworks.build.cache import Cache

        cache = Cache(
            find_cache_dir(self.state.environ),
            is_reused=not self.options.no_cache,
            is_verified=self.options.verify_layers,
            shared=self.layer_index,
        )
        return Builder(cache, self.display, lambda: self.registries.client, self.state.environ)

    @cached_property
    def layer_index(self) -> LayerIndex | None:
        """Where layers are that others have packed, if a repository of them is named."""
        if self.options.layer_index is None:
            return None
        from cogworks.build.layer_index import LayerIndex
        from cogworks.oci.reference import parse_repository

        repository = parse_repository(self.options.layer_index)
        return LayerIndex(lambda: self.registries.client, repository)

    @cached_property
    def platform(self) -> Platform:
        """What the image is for."""
        return _platform(self.options)

    def find_base(self) -> Base:
        """Return the base of the image."""
        from cogworks.build.builder import BaseWish
        from cogworks.oci.reference import parse_reference

        options = self.options
        is_newest = options.pull or options.no_cache
        wish = BaseWish(parse_reference(self.base_choice.reference), options.base_python, is_newest)
        return self.builder.find_base(self.project, wish, self.platform)

    def build(
        self,
        base: Base,
        on_layer: Callable[[NamedLayer], object] | None = None,
        *,
        with_code: bool = True,
    ) -> BuiltImage:
        """Return the image, shown while it is made; without its code, the project is to be mounted at `/src`."""

        def tell(layer: NamedLayer) -> None:
            cached = layer.cached
            digest, size = str(cached.layer.digest), cached.layer.size_bytes
            self.display.layer(LayerLine(layer.title, size, cached.is_new, digest))
            if on_layer is not None:
                on_layer(layer)

        how = self.how if with_code else replace(self.how, with_code=False, revision={})
        image = self.builder.build(self.project, base, how, tell)
        index = self.layer_index
        for notice in (*image.notices, *(index.notices if index is not None else ())):
            self.display.warning(notice)
        return image

    def plan(self) -> tuple[Step, ...]:
        """Return what a build would do, without doing it."""
        from cogworks.build.base_image import OWN
        from cogworks.build.context import read_context
        from cogworks.build.plan import plan_build
        from cogworks.engines.requirement_lines import requirement_lines

        context = read_context(
            self.project.directory,
            self.project.build.weight_patterns,
            separate_weights=self.options.separate_weights,
            secret_files=self.how.secret_files,
        )
        choice = self.base_choice
        brings_python = choice.needs_interpreter or self.options.base_python == OWN
        return plan_build(
            self.project,
            choice.reference,
            choice.reason,
            str(self.platform),
            context,
            brings_python=brings_python,
            requirements=requirement_lines(self.project),
        )

    def keep(self, name: Reference, image: BuiltImage) -> bool:
        """Note the image under its name; return whether that name stood for another one."""
        from cogworks.build.image_store import ImageStore

        store = ImageStore(self.builder.cache)
        before = store.find(name, image.config.platform)
        store.keep(name, image)
        if any(one.cached.is_new for one in image.layers):
            keep_within_limits(find_cache_dir(self.state.environ), self.state.environ)
        return before is None or before.digest != image.digest

    @cached_property
    def how(self) -> How:
        """What the options and cog.yaml say of the image."""
        from cogworks.build.assemble import How
        from cogworks.build.image import DEFAULT_USER
        from cogworks.build.revision import find_revision
        from cogworks.build.stages.secrets import parse_secrets
        from cogworks.build.stages.tools import StageOptions
        from cogworks.oci.layer import Codec

        options, build = self.options, self.project.build
        return How(
            codec=Codec[options.compression.upper()],
            weight_patterns=build.weight_patterns,
            separate_weights=options.separate_weights,
            keep_lock=options.lock or build.lock,
            user=build.user or DEFAULT_USER,
            created_s=max(options.timestamp_s or 0, 0),
            revision=find_revision(self.project.directory, self.state.environ),
            server_packages=_server_packages(options),
            document=self.document,
            stages=StageOptions(
                engine=options.build_engine,
                secrets=parse_secrets(options.secrets, self.project.directory),
                has_host_network=options.network == "host",
            ),
        )


@contextmanager
def start_building(
    context: click.Context, values: Mapping[str, Any], *, needs_secrets: bool = True
) -> Generator[Building]:
    """Read the project, and say all that is wrong with it before anything is fetched or made.

    Args:
        values: what the options of ``build_options`` were given.
        needs_secrets: whether the project's commands are going to be run.

    Raises:
        CogworksError: there is no project, or it has problems.
    """
    state, options = context.ensure_object(State), BuildOptions(**values)
    if is_json_wanted(options.progress_style, state.environ):
        # What a program reads is JSON to the end, errors included.
        state.console = JsonConsole(debug=state.console.debug)
    _platform(options)
    project = open_project(state, Options(options.config_name))
    _refuse_managed_weights(project)
    document = _document(project, state, options)
    base_choice = find_base_choice(project, state, options)
    if needs_secrets:
        _check_secrets(project, state, options)
    display = choose_build_display(options.progress_style, state.environ, state.console)
    with closing(display), closing(Registries(state, options)) as registries:
        yield Building(state, options, project, document, base_choice, display, registries)
    keep_within_limits(find_cache_dir(state.environ), state.environ)


def account(image: BuiltImage) -> Rows:
    """Return what there is to say of an image: (what, how it is)."""
    sizes = [one.size_bytes for one in image.manifest.layers]
    new = sum(one.cached.layer.size_bytes for one in image.layers if one.cached.is_new)
    return account_rows(str(image.digest), sizes, new, base_shown(image))


def base_shown(image: BuiltImage) -> str:
    """Return the name of an image's base, and the beginning of its digest."""
    base = image.base
    return f"{replace(base.reference, digest=None).familiar}@{base.digest.short}"


def _refuse_managed_weights(project: Project) -> None:
    """Stop where an image would lack what the model needs."""
    if project.weights:
        name, line = project.config_path.name, project.lines.get("weights", 1)
        raise NotAvailable(
            f"{name}:{line}: weights that are kept beside the image cannot be built or pushed yet. Put the files "
            f"into the project, where large ones get layers of their own, and remove weights from {name}."
        )


def _server_packages(options: BuildOptions) -> Path:
    from cogworks.build.server_layer import PACKAGES

    if options.server_packages is None:
        return PACKAGES
    path = Path(options.server_packages).absolute()
    if not path.is_file():
        raise OptionError(f"--server-packages: there is no file {path}")
    return path


def _document(project: Project, state: State, options: BuildOptions) -> dict[str, Any]:
    if options.openapi_schema is not None:
        return read_document(Path(options.openapi_schema), "--openapi-schema")
    if options.skip_schema_validation:
        return {}
    mode = "run" if project.run is not None or project.train is None else "train"
    return describe_model(project, state, mode)


def _platform(options: BuildOptions) -> Platform:
    from cogworks.build.target import check_platform
    from cogworks.oci.platform import parse_platform

    wanted = parse_platform(options.platform or f"linux/{platform.machine().lower()}")
    check_platform(wanted)
    return wanted


def find_base_choice(project: Project, state: State, options: BuildOptions) -> BaseChoice:
    """Return what the image rests on; reading the requirements for that finds what is wrong with them."""
    from cogworks.build.target import MACHINES
    from cogworks.engines.requirement_lines import requirement_lines
    from cogworks.project.base_choice import BaseOptions, CudaImages, choose_base

    if options.use_cog_base_image:
        state.console.warning(
            "--use-cog-base-image: there are no such images here; layers are shared without them"
        )
    architecture = _platform(options).architecture
    wish = BaseOptions(
        machine=MACHINES.get(architecture, architecture),
        given=options.base_image,
        registry=state.environ.get("COG_BASE_REGISTRY"),
        cuda_images=CudaImages(options.use_cuda_base_image),
    )
    choice = choose_base(project, requirement_lines(project), wish)
    for warning in choice.warnings:
        state.console.warning(warning.render(project.config_path.name))
    return choice


def _check_secrets(project: Project, state: State, options: BuildOptions) -> None:
    """Find out whether the secrets that commands want are there, before anything is fetched."""
    from cogworks.build.stages.secrets import parse_secrets, read_secrets
    from cogworks.build.stages.stage import commands_of

    sources = parse_secrets(options.secrets, project.directory)
    read_secrets(commands_of(project), sources, state.environ)
