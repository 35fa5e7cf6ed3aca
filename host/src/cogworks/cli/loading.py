"""Where a built image goes besides the cache: into docker or podman, if one of them can be used."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cogworks.cli.account import loaded_rows
from cogworks.cli.build_display import Transfer
from cogworks.cli.building import Building
from cogworks.errors import CogworksError

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage
    from cogworks.build.load import Loaded
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.oci.reference import Reference
    from cogworks.repeat.shape import LoadedRecord


class Loading:
    """Looks for an engine while the image is being made, then loads it there.

    Args:
        wanted: True if the image has to be loaded, False if it must not be, None to load it where that is possible.
    """

    def __init__(self, building: Building, *, wanted: bool | None) -> None:
        self._building, self._wanted = building, wanted
        self._found: tuple[ContainerEngine, ...] = ()
        self._loaded: LoadedRecord | None = None
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
        """Whether the short way can do what was done: nothing was to be loaded, or nothing is installed, or docker has it."""
        if self._engines is None or self._loaded is not None:
            return True
        return not any(one.program for one in self._found)

    @property
    def loaded(self) -> LoadedRecord | None:
        """What docker has, if its daemon can be asked without its program."""
        return self._loaded

    @property
    def absent_programs(self) -> tuple[str, ...]:
        """The engines that were looked for, and are not installed, where that was all."""
        return () if self._loaded is not None else tuple(one.name for one in self._found)

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
        self._loaded = _record_of(engine, loaded, self._building.state.environ)
        sent = (loaded.sent_bytes, loaded.sent_layers)
        return loaded_rows(str(engine), engine.name, loaded.name, *sent)


def _record_of(
    engine: ContainerEngine, loaded: Loaded, environ: Mapping[str, str]
) -> LoadedRecord | None:
    """Return how docker's daemon can be asked for an image the next time; None if that is not simple."""
    from cogworks.repeat.daemon import NotLoadedError, find_socket, layers_of

    is_usual = engine.name == "docker" and not engine.is_podman
    found: LoadedRecord = {
        "name": loaded.name,
        "id": str(loaded.image_id),
        "socket": find_socket(environ) if is_usual else "",
        "program": engine.name,
        "engine": str(engine),
    }
    if not found["socket"]:
        return None
    try:
        layers_of(found)
    except NotLoadedError:
        return None
    return found
