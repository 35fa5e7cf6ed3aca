"""From what a user asked for to an image: what is wrong is told first, then the base is found, then layers are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cogworks.build.assemble import BuiltImage, How, assemble
from cogworks.build.base_image import Base, find_base
from cogworks.build.base_tags import BaseTags
from cogworks.build.cache import Cache
from cogworks.build.disk_errors import disk_errors_told
from cogworks.build.layers import OnLayer
from cogworks.engines.progress import Progress
from cogworks.oci.platform import Platform
from cogworks.oci.reference import Reference
from cogworks.project.model import Project

if TYPE_CHECKING:
    from cogworks.registry.client import Client


@dataclass(frozen=True, slots=True)
class BaseWish:
    """The base that an image is to rest on.

    Attributes:
        interpreter: the absolute path of its Python, for one that does not say.
        is_newest: ask its registry again what a tag stands for.
    """

    reference: Reference
    interpreter: str | None = None
    is_newest: bool = False


@dataclass(frozen=True)
class Builder:
    """Makes images of projects on this machine.

    Attributes:
        environment: the variables that uv runs under, and that name indexes and their credentials.
        connect: returns the client of registries; called only where one has to be asked.
    """

    cache: Cache
    progress: Progress
    connect: Callable[[], Client]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def find_base(self, project: Project, wish: BaseWish, platform: Platform) -> Base:
        """Return the base of a project's image; a tag that was seen before is not asked for again.

        Raises:
            BaseError: it does not fit the project.
            RegistryError: it cannot be fetched.
            BuildError: what is known of it cannot be kept.
        """
        with disk_errors_told(self.cache.root, "what is known of the base cannot be kept"):
            return self._find_base(project, wish, platform)

    def _find_base(self, project: Project, wish: BaseWish, platform: Platform) -> Base:
        tags = BaseTags(self.cache)
        reference, python = wish.reference, project.build.python_minor
        if reference.digest is None and not wish.is_newest:
            known = tags.find(reference, platform)
            reference = reference if known is None else reference.with_digest(known)
        if reference.digest is None:
            self.progress.stage(f"Asking {reference.registry} for {reference.familiar}")
        base = find_base(
            self.connect, reference, platform, python, self.cache, interpreter=wish.interpreter
        )
        if reference.digest is None:
            tags.remember(reference, platform, base.digest)
        return base

    def build(
        self, project: Project, base: Base, how: How, on_layer: OnLayer | None = None
    ) -> BuiltImage:
        """Return the image of a project on a base.

        Raises:
            SchemaError: the model's signature cannot be read; nothing was downloaded.
            BuildError: a layer cannot be made.
        """
        cache, environment = self.cache, self.environment
        with disk_errors_told(cache.root):
            return assemble(
                project, base, cache, self.progress, how, environment, on_layer, self.connect
            )
