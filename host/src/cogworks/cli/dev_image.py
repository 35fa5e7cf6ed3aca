"""The image that a project runs in with a container engine: everything but its files, which are mounted at `/src`.

It is rebuilt when packages change, and not when code does. It has a name of its own, so that it never takes that of an
image that was built to be shipped.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogworks.cli.build_display import LateBuild, Transfer, choose_build_display
from cogworks.cli.build_options import BuildOptions
from cogworks.cli.building import Building, Registries, find_base_choice
from cogworks.cli.container_engine import (
    chosen_names,
    folder_user,
    refuse_dockerfile,
    wanted_gpus,
)
from cogworks.cli.options import EngineOptions
from cogworks.cli.prepare import Options, find_cache_dir, keep_within_limits
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import ContainerSpec
    from cogworks.project import Project

SOURCE = "/src"
SCHEMA = "/opt/cogworks/openapi_schema.json"
"""Where the document is mounted; below `/src` the engine would have to make a file of the user's."""
ROOT = ("root", "0", "0:0", "root:root")


def prepare_container(
    project: Project,
    document: dict[str, Any] | None,
    state: State,
    options: Options,
    choice: EngineOptions,
) -> tuple[ContainerEngine, ContainerSpec]:
    """Build the image of a project, load it, and return the container that it runs in, without a command of its own.

    Args:
        document: what the server in the container is told; None lets it ask the model.

    Raises:
        CogworksError: no engine answers, or the image cannot be built.
    """
    from cogworks.engines.containers.find import require_engine
    from cogworks.engines.containers.spec import ContainerSpec, Mount

    refuse_dockerfile(choice)
    gpus = wanted_gpus(choice, model_asks=project.build.gpu)
    engine = require_engine(state.environ, chosen_names(choice))
    image = _build(project, engine, state, options, choice)
    mounts = [Mount(project.directory, SOURCE)]
    environment: dict[str, str] = {}
    if document is not None:
        file = _write_document(document, project, find_cache_dir(state.environ))
        mounts.append(Mount(file, SCHEMA, read_only=True))
        environment["COG_OPENAPI_SCHEMA"] = SCHEMA
    user = "" if (project.build.user or "") in ROOT else folder_user(engine)
    if user:
        # Nobody has a home of that name in the image.
        environment["HOME"] = "/tmp"
    spec = ContainerSpec(
        image,
        environment=environment,
        mounts=tuple(mounts),
        gpus=gpus,
        user=user,
        working_dir=SOURCE,
    )
    return engine, spec


def _build(
    project: Project,
    engine: ContainerEngine,
    state: State,
    options: Options,
    choice: EngineOptions,
) -> str:
    """Return what the engine calls the image."""
    from cogworks.build.load import load_image

    if options.python_version is not None:
        build = replace(project.build, python_version=options.python_version)
        project = replace(project, build=build)
    wish = BuildOptions(
        options.config_name,
        use_cuda_base_image=choice.cuda_base,
        use_cog_base_image=choice.cog_base,
        build_engine=state.environ.get("COG_BUILD_ENGINE") or engine.name,
        server_packages=state.environ.get("COG_SERVER_PACKAGES"),
        progress_style=options.progress_style,
    )
    display = LateBuild(choose_build_display(options.progress_style, state.environ, state.console))
    with closing(display), closing(Registries(state, wish)) as registries:
        base_choice = find_base_choice(project, state, wish)
        building = Building(state, wish, project, {}, base_choice, display, registries)
        image = building.build(building.find_base(), with_code=False)

        display.stage(f"Loading into {engine}")

        def tell(sent: int, size: int) -> None:
            display.transfer(Transfer(str(engine), sent, size))

        loaded = load_image(engine, image, _name(project), registries.client, tell)
    keep_within_limits(find_cache_dir(state.environ), state.environ)
    return loaded.engine_id


def _name(project: Project) -> str:
    """Return a name that is the project's alone, also beside another project in a folder of the same name."""
    from cogworks.build.names import default_name

    return f"cog-dev/{default_name(project.directory.name)}:{_key(project)}"


def _key(project: Project) -> str:
    return hashlib.sha256(str(project.directory).encode()).hexdigest()[:12]


def _write_document(document: dict[str, Any], project: Project, cache_dir: Path) -> Path:
    """Keep the document where a container can be given it; a running one keeps what it has."""
    path = cache_dir / "schemas" / f"{_key(project)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(
        f".{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:8]}"
    )
    unfinished.write_text(json.dumps(document), encoding="utf-8")
    unfinished.replace(path)
    return path
