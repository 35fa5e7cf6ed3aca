"""Where a built image goes besides the cache: into docker or podman, if one of them can be used."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cogworks.cli.build_display import Transfer
from cogworks.cli.building import Building
from cogworks.cli.sizes import shown_size
from cogworks.errors import CogworksError

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage
    from cogworks.build.load import Loaded
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.oci.reference import Reference


class Loading:
    """Looks for an engine while the image is being made, then loads it there.

    Args:
        wanted: True if the image has to be loaded, False if it must not be, None to load it where that is possible.
    """

    def __init__(self, building: Building, *, wanted: bool | None) -> None:
        self._building, self._wanted = building, wanted
        self._found: tuple[ContainerEngine, ...] = ()
        self._engines: Future[tuple[ContainerEngine, ...]] | None = None
        if wanted is not False:
            pool = ThreadPoolExecutor(1, thread_name_prefix="find-engine")
            self._engines = pool.submit(self._find)
            pool.shutdown(wait=False)

    def load(self, image: BuiltImage, name: Reference) -> list[tuple[str, str]]:
        """Load an image, and return what there is to say of it.

        Raises:
            CogworksError: it has to be loaded, and cannot be.
        """
        if self._engines is None:
            return []
        from cogworks.engines.containers.find import why_none

        engines = self._engines.result()
        self._found = engines
        if engines[-1].is_reachable:
            return self._load(engines[-1], image, name)
        if self._wanted:
            from cogworks.engines.containers.errors import EngineUnreachableError

            raise EngineUnreachableError(
                f"{why_none(engines)}. The image is built; it is not loaded."
            )
        return [("not loaded", why_none(engines))]

    @property
    def is_repeatable(self) -> bool:
        """Whether another build would have as little to do as this one: nothing can be loaded, unless one is installed."""
        return self._engines is None or not any(one.program for one in self._found)

    @property
    def absent_programs(self) -> tuple[str, ...]:
        """The engines that were looked for, and are not installed."""
        return tuple(one.name for one in self._found)

    def _find(self) -> tuple[ContainerEngine, ...]:
        from cogworks.engines.containers.find import find_engines

        return find_engines(self._building.state.environ)

    def _load(
        self, engine: ContainerEngine, image: BuiltImage, name: Reference
    ) -> list[tuple[str, str]]:
        from cogworks.build.load import load_image

        display = self._building.display
        display.stage(f"Loading into {engine}")

        def tell(sent: int, size: int) -> None:
            display.transfer(Transfer(str(engine), sent, size))

        try:
            client = self._building.registries.client
            loaded = load_image(engine, image, name.familiar, client, tell)
        except CogworksError as error:
            if self._wanted:
                raise
            display.warning(f"the image is built, but {engine} does not take it: {error}")
            return []
        return [
            ("loaded", f"into {engine}, {_sent(loaded)}"),
            ("run it", f"{engine.name} run --rm -p 5000:5000 {loaded.name}"),
        ]


def _sent(loaded: Loaded) -> str:
    if not loaded.sent_layers:
        return "which had it already"
    layers = "1 layer" if loaded.sent_layers == 1 else f"{loaded.sent_layers} layers"
    return f"{shown_size(loaded.sent_bytes)} in {layers} sent"
