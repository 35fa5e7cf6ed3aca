"""The stages of one image, in the places where its layers need them.

What a stage needs is imported when there is one: most builds execute nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import CachedLayer
from cogworks.build.indexes import Indexes
from cogworks.build.layers import NamedLayer, OnLayer
from cogworks.build.lock import LockedSource
from cogworks.build.locked_wheels import BuildSources, FetchArchives
from cogworks.build.pythons import Pythons
from cogworks.build.stages.secrets import Secret, read_secrets
from cogworks.build.stages.stage import Commands, SystemPackages
from cogworks.build.stages.tools import Workshop
from cogworks.build.wheel_set import WheelFile
from cogworks.project.model import Project


@dataclass(frozen=True)
class ImageStages:
    """What of an image has to be executed.

    Attributes:
        secrets: those that the commands ask for.
        on_layer: hears of each layer as soon as it is there.
    """

    project: Project
    shop: Workshop
    secrets: tuple[Secret, ...]
    on_layer: OnLayer | None = None

    @property
    def layer_count(self) -> int:
        """How many layers there are at most."""
        # Commands have pip below them.
        return sum(2 if isinstance(one, Commands) else 1 for one in self.shop.stages)

    def system(self) -> tuple[NamedLayer, ...]:
        """Return the layer of the system packages, if there are some.

        Raises:
            StageError: it cannot be made.
        """
        stage = next((one for one in self.shop.stages if isinstance(one, SystemPackages)), None)
        if stage is None:
            return ()
        from cogworks.build.stages.system_layer import system_layer

        return (self._told(stage.title, system_layer(stage, self.shop)),)

    def commands(
        self, below: Sequence[NamedLayer], freeze: Sequence[str], compiler: Compiler | None
    ) -> tuple[NamedLayer, ...]:
        """Return the layers of pip and of the commands, if there are some.

        Args:
            below: all layers between them and the base.
            freeze: the packages of the project, `name==version`.

        Raises:
            StageError: they cannot be made.
        """
        stage = next((one for one in self.shop.stages if isinstance(one, Commands)), None)
        if stage is None:
            return ()
        from cogworks.build.stages.command_layer import command_layer

        found = self._installer(freeze, compiler)
        lower = [one.cached for one in (*below, *found)]
        layer = command_layer(stage, self.project, lower, self.secrets, self.shop)
        return (*found, self._told(stage.title, layer))

    def source_builder(self, pythons: Pythons, lower: Sequence[NamedLayer]) -> BuildSources:
        """Return what builds wheels of sources, on the base and these layers; nothing is built yet.

        Args:
            lower: the layers between the base and the model's environment.
        """

        def build(
            sources: Sequence[LockedSource], fetch: FetchArchives, indexes: Indexes
        ) -> list[WheelFile]:
            from cogworks.build.stages.native_wheels import Place
            from cogworks.build.stages.source_wheels import SourceBuilder

            model = pythons.model
            python = model.compiler.python if model.compiler else Path(sys.executable)
            place = Place(model.interpreter, tuple(one.cached for one in lower))
            return SourceBuilder(self.shop, place, python).build(sources, fetch, indexes)

        return build

    def _installer(
        self, freeze: Sequence[str], compiler: Compiler | None
    ) -> tuple[NamedLayer, ...]:
        from cogworks.build.stages.installer import installer_wheels
        from cogworks.build.wheel_set import wheels_layer

        shop, target = self.shop, self.shop.base.target
        there = {one.partition("==")[0] for one in freeze}
        wheels = installer_wheels(target, shop.cache, shop.progress, shop.environment)
        missing = [one for one in wheels if one.name not in there]
        if not missing:
            return ()
        layer = wheels_layer(shop.cache, missing, target.python, compiler, shop.codec)
        return (self._told("pip", layer),)

    def _told(self, title: str, cached: CachedLayer) -> NamedLayer:
        layer = NamedLayer(title, cached)
        if self.on_layer is not None:
            self.on_layer(layer)
        return layer


def image_stages(project: Project, shop: Workshop, on_layer: OnLayer | None) -> ImageStages:
    """Return the stages of a project's image; nothing is executed yet.

    Raises:
        SecretError: a command asks for a secret that is not there.
    """
    commands = [
        command for one in shop.stages if isinstance(one, Commands) for command in one.commands
    ]
    secrets = read_secrets(commands, shop.options.secrets, shop.environment)
    return ImageStages(project, shop, secrets, on_layer)
