"""`cog run` and `cog train` with a container: of an image, or of the project in this folder."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cogworks.cli.container_engine import (
    chosen_names,
    refuse_dockerfile,
    require_near,
    variables_for_one,
    wanted_gpus,
    warn_of_bases,
)
from cogworks.cli.container_image import foreign_platform, obtain_image
from cogworks.cli.environment import parse_environment
from cogworks.cli.options import EngineOptions
from cogworks.cli.prediction_call import PredictionCall, Request
from cogworks.cli.prepare import Options
from cogworks.cli.signals import run_until_stopped
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import ContainerSpec
    from cogworks.project import Project


def run_image(
    name: str,
    call: PredictionCall,
    state: State,
    options: Options,
    choice: EngineOptions,
    setup_timeout_s: float,
    source: str,
) -> None:
    """Predict with an image, which is pulled if it is not there.

    Args:
        source: `static` checks the inputs by the image's label, `live` by what its server says.

    Raises:
        CogworksError: it cannot be had, is no model, or does not succeed.
    """
    from cogworks.engines.containers.spec import ContainerSpec, Port

    refuse_dockerfile(choice)
    warn_of_bases(choice, state)
    wanted_gpus(choice, model_asks=False)  # A wrong word costs no pull.
    chosen = parse_environment(options.environment, state.environ)
    model = obtain_image(name, chosen_names(choice), state, options.progress_style)
    require_near(model.engine)
    foreign = foreign_platform(name, model.image.platform, platform.machine())
    if foreign:
        state.console.warning(foreign)
    document = model.document if source == "static" else None
    if document is not None and not call.describes_inputs(document):
        document = None
    spec = ContainerSpec(
        image=model.name,
        command=call.mode.command,
        environment=variables_for_one(state, chosen),
        ports=(Port(5000),),
        gpus=wanted_gpus(choice, model_asks=model.asks_for_gpu),
        platform=model.image.platform,
    )
    request = None if document is None else call.request(document, state)
    _run(model.engine, spec, request, call, state, setup_timeout_s)


def run_project(
    project: Project,
    document: dict[str, Any],
    call: PredictionCall,
    state: State,
    options: Options,
    choice: EngineOptions,
    setup_timeout_s: float,
    source: str,
) -> None:
    """Predict with the project in this folder, in a container.

    Args:
        document: of the project's source; inputs that do not fit it cost nothing.
        source: `live` checks them again, by what the server in the container says.

    Raises:
        CogworksError: no engine answers, the image cannot be built, or the model does not succeed.
    """
    from cogworks.cli.dev_image import prepare_container
    from cogworks.engines.containers.spec import Port

    is_static = source == "static"
    request = call.request(document, state) if is_static else None
    chosen = parse_environment(options.environment, state.environ)
    known = document if is_static else None
    engine, spec = prepare_container(project, known, state, options, choice)
    require_near(engine)
    spec = replace(
        spec,
        command=call.mode.command,
        environment={**spec.environment, **variables_for_one(state, chosen)},
        ports=(Port(5000),),
    )
    _run(engine, spec, request, call, state, setup_timeout_s)


def _run(
    engine: ContainerEngine,
    spec: ContainerSpec,
    request: Request | None,
    call: PredictionCall,
    state: State,
    setup_timeout_s: float,
) -> None:
    """Predict in a container, which is gone afterwards; without a request, the server's document makes it."""
    from cogworks.cli.container_prediction import ContainerJob, Handle, predict_in_container

    job = ContainerJob(
        engine,
        spec,
        call.mode.path,
        request,
        lambda found: call.request(found, state),
        call.context,
        setup_timeout_s,
    )
    handle = Handle()
    run_until_stopped(predict_in_container(job, state, handle), hurry=handle.hurry)
