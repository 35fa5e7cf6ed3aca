"""`cog run` and `cog train` with a container: of an image, or of the project in this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cogworks.cli.container_engine import (
    check_choice,
    chosen_names,
    require_near,
    server_variables,
    wanted_gpus,
)
from cogworks.cli.container_image import obtain_image
from cogworks.cli.environment import parse_environment
from cogworks.cli.options import EngineOptions
from cogworks.cli.prediction_call import PredictionCall
from cogworks.cli.prepare import Options
from cogworks.cli.signals import run_until_stopped
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import ContainerSpec


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

    check_choice(choice, state)
    wanted_gpus(choice, model_asks=False)  # A wrong word costs no pull.
    chosen = parse_environment(options.environment, state.environ)
    model = obtain_image(name, chosen_names(choice), state, options.progress_style)
    require_near(model.engine)
    document = model.document if source == "static" else None
    if document is not None and not call.describes_inputs(document):
        document = None
    spec = ContainerSpec(
        image=model.name,
        command=call.mode.command,
        environment=server_variables(state, chosen),
        ports=(Port(5000),),
        gpus=wanted_gpus(choice, model_asks=model.asks_for_gpu),
        platform=model.image.platform,
    )
    run_spec(model.engine, spec, document, call, state, setup_timeout_s)


def run_spec(
    engine: ContainerEngine,
    spec: ContainerSpec,
    document: dict[str, Any] | None,
    call: PredictionCall,
    state: State,
    setup_timeout_s: float,
) -> None:
    """Predict in a container, which is gone afterwards.

    Args:
        document: what the inputs are checked against before anything starts; None asks the server.
    """
    request = None if document is None else call.request(document, state)
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
