"""The layer of `build.run` and `build.pre_install`: what a project's commands changed, above the packages, below the code.

All commands are one layer with one key, so that each finds what the earlier ones left, also what does not stay in the
image: a command that is edited is run together with those before it, or docker takes these from its own cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cogworks.build.cache import CachedLayer
from cogworks.build.image import Start, image_environment
from cogworks.build.layer_key import layer_key
from cogworks.build.stages.below import Below, LocalLayer
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.engine import Job
from cogworks.build.stages.secrets import Secret
from cogworks.build.stages.stage import Commands
from cogworks.build.stages.stage_layer import BUILD_VARIABLES, STAGE_VERSION, stage_layer
from cogworks.build.stages.tools import Workshop
from cogworks.build.wheel_layer import VENV
from cogworks.oci.image import ImageConfig
from cogworks.project.model import Project, SecretMount

COMMAND_VARIABLES = {
    "VIRTUAL_ENV": f"/{VENV}",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}
"""For commands only: installers work on the model's packages."""


def command_layer(
    stage: Commands,
    project: Project,
    below: Sequence[CachedLayer],
    secrets: Sequence[Secret],
    shop: Workshop,
) -> CachedLayer:
    """Return the layer of a project's commands; they run unless the cache has it.

    Args:
        below: the layers between them and the base, lowest first.
        secrets: all that they ask for. What is in one does not count for the key, only its id.

    Raises:
        CommandError: a command failed.
        NoEngineError: they have to run, and there is no engine.
        RegistryError: the base cannot be fetched.
    """
    base, platform = shop.base.image.config, shop.base.target.platform
    environment = command_environment(project, base)
    diff_ids = [*base.diff_ids, *(one.layer.diff_id for one in below)]
    key = layer_key(
        "run",
        STAGE_VERSION,
        str(platform),
        [one.hex for one in diff_ids],
        [f"{name}={value}" for name, value in sorted(environment.items())],
        *(_spelled(one.command.command, one.command.mounts) for one in stage.commands),
    )

    def job() -> Job:
        count = len(stage.commands)
        what = "a command" if count == 1 else f"{count} commands"
        shop.progress.stage(f"Running {what} of {project.config_path.name} with {shop.engine.name}")
        here = (shop.cache.fetch(one) for one in below)
        ours = (LocalLayer(one.layer, one.path) for one in here)
        image = Below(platform, environment, (*shop.base_layers, *ours))
        steps = tuple(
            Step(one.command.command, f"{one.place}: {one.key}", one.command.mounts)
            for one in stage.commands
        )
        return Job(
            image,
            steps,
            secrets=tuple(secrets),
            network=shop.network,
            no_cache=not shop.cache.is_reused,
        )

    return stage_layer(shop, key, stage.title, job, keeps_temporary=True)


def command_environment(project: Project, base: ImageConfig) -> Mapping[str, str]:
    """Return the variables of commands: those of the image, for root, and their own."""
    start = Start(dict(sorted(project.environment)), user="root")
    return {
        **image_environment(base, start),
        **COMMAND_VARIABLES,
        **BUILD_VARIABLES,
    }


def _spelled(command: str, mounts: Sequence[SecretMount]) -> list[str]:
    return [command, *(word for one in mounts for word in (one.id, one.target))]
