"""An image by its name: where it is, fetched if need be, and what its labels say of the model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cogworks.cli.errors import OptionError
from cogworks.cli.json_values import is_object
from cogworks.cli.progress import LiveProgress, choose_progress
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.images import LocalImage

PREFIXES = ("run.cog.", "org.cogmodel.")
"""Of the labels of the format: today's, and those of old images."""


@dataclass(frozen=True)
class ModelImage:
    """An image that an engine has, and that holds a model."""

    engine: ContainerEngine
    name: str
    image: LocalImage

    @property
    def document(self) -> dict[str, Any] | None:
        """The model's OpenAPI document, if a label has it."""
        found = self._label("openapi_schema")
        return found if is_object(found) else None

    @property
    def asks_for_gpu(self) -> bool:
        """Whether its cog.yaml says that it uses one."""
        config = self._label("config")
        build = config.get("build") if is_object(config) else None
        return is_object(build) and bool(build.get("gpu"))

    def _label(self, name: str) -> Any:
        texts = (self.image.labels.get(prefix + name) for prefix in PREFIXES)
        text = next((text for text in texts if text), "null")
        try:
            return json.loads(text)
        except ValueError:
            return None


def obtain_image(
    name: str, names: Sequence[str], state: State, progress_style: str | None
) -> ModelImage:
    """Return an image of an engine that has it; pull it if none does.

    Args:
        names: of the engines that may be used, the preferred one first.

    Raises:
        OptionError: it holds no model.
        ContainerError: no engine answers, or the image cannot be pulled.
    """
    from cogworks.engines.containers.find import PATIENT_S, examine, require_engine
    from cogworks.engines.containers.images import find_image

    reachable: list[ContainerEngine] = []
    for one in names:
        engine = examine(one, state.environ, PATIENT_S)
        if engine.is_reachable:
            reachable.append(engine)
            image = find_image(engine, name)
            if image is not None:
                return _model(engine, name, image)
    engine = reachable[0] if reachable else require_engine(state.environ, names)
    _pull(engine, name, state, progress_style)
    image = find_image(engine, name)
    if image is None:
        raise OptionError(f"{engine} pulled {name}, but does not have it under that name.")
    return _model(engine, name, image)


def foreign_platform(name: str, image_platform: str, machine: str) -> str:
    """Return what to say of an image that is for another kind of machine than this one; nothing if it is for this one.

    Args:
        machine: as the system spells it: `x86_64`, `arm64`.
    """
    from cogworks.oci.platform import parse_platform

    if not image_platform or not machine:
        return ""
    wanted, here = parse_platform(image_platform), parse_platform(machine)
    if wanted.architecture == here.architecture:
        return ""
    return f"{name} is for {wanted}, and this machine is of another kind ({here.architecture}): it needs emulation"


def _model(engine: ContainerEngine, name: str, image: LocalImage) -> ModelImage:
    if not any(label.startswith(PREFIXES) for label in image.labels):
        raise OptionError(
            f"{name} is not a cog model: it has none of the labels that `cog build` gives an image."
        )
    return ModelImage(engine, name, image)


def _pull(engine: ContainerEngine, name: str, state: State, progress_style: str | None) -> None:
    from cogworks.engines.containers.pull import pull_image

    with closing(choose_progress(progress_style, state.environ, state.console)) as display:
        terminal = sys.stderr.fileno() if isinstance(display, LiveProgress) else None
        pull_image(engine, name, display, terminal)
