"""Wheels of packages that come as source only, or whose wheels are for other machines.

    pure Python         built here by uv, as `cog run` does: such a wheel is the same for every target
    everything else     built on the base and its system packages, with the model's Python, by an engine

Each is kept: by its source and Python; in the second case by all layers that it was built on, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cogworks.build.errors import BuildError, NoEngineError, NoWheelError
from cogworks.build.indexes import Indexes
from cogworks.build.layer_key import layer_key
from cogworks.build.lock import LockedSource
from cogworks.build.locked_wheels import FetchArchives
from cogworks.build.stages.built_wheels import BuiltWheels, fits, identity_of
from cogworks.build.stages.installer import OLDER, PIP
from cogworks.build.stages.native_wheels import Place, build_native_wheels
from cogworks.build.stages.pure_wheel import build_pure_wheel
from cogworks.build.stages.source_archive import archive_commit, needs_compiler
from cogworks.build.stages.source_tree import read_tree
from cogworks.build.stages.stage import SourceWheels
from cogworks.build.stages.stage_layer import STAGE_VERSION, workspace
from cogworks.build.stages.tools import Workshop
from cogworks.build.wheel_set import WheelFile


@dataclass(frozen=True)
class SourceBuilder:
    """Builds wheels for one image.

    Attributes:
        python: a Python of this machine, best of the same version, for what is pure Python.
    """

    shop: Workshop
    place: Place
    python: Path

    def build(
        self,
        sources: Sequence[LockedSource],
        fetch: FetchArchives,
        indexes: Indexes,
    ) -> list[WheelFile]:
        """Return the wheels of sources.

        Args:
            fetch: brings the archives of those that have to be built.

        Raises:
            NoWheelError: one cannot be built, since no engine is there.
            BuildError: one cannot be built.
        """
        sources = [_with_digest(one) for one in sources]
        found = {one.name: wheel for one in sources if (wheel := self._find(one)) is not None}
        missing = [one for one in sources if one.name not in found]
        if missing:
            # Two builds that want the same wheels make them once.
            key = layer_key("wheels of sources", [self._native_key(one) for one in missing])
            with self.shop.cache.lock(key):
                found |= self._make(missing, fetch, indexes)
        return [found[one.name] for one in sources]

    def _make(
        self, sources: Sequence[LockedSource], fetch: FetchArchives, indexes: Indexes
    ) -> dict[str, WheelFile]:
        """Return wheels, those included that somebody else has built by now."""
        found = {one.name: wheel for one in sources if (wheel := self._find(one)) is not None}
        missing = [one for one in sources if one.name not in found]
        if not missing:
            return found
        with workspace(self.shop.cache) as folder:
            archives = dict(fetch(missing))
            for one in missing:
                if one.archive is None:
                    archives[one.name] = self._checkout(one, indexes, folder)
            return {**found, **self._build(missing, archives, indexes)}

    def _checkout(self, source: LockedSource, indexes: Indexes, folder: Path) -> Path:
        path = folder / f"{source.name}.tar"
        if source.folder is not None:
            read_tree(source.folder).write(path)
            return path
        self.shop.progress.stage(f"Fetching {source.title}")
        pair = indexes.credentials.find_of_git(source.repository)
        archive_commit(source.repository, source.commit, path, indexes.variables, pair)
        return path

    def _build(
        self, sources: Sequence[LockedSource], archives: Mapping[str, Path], indexes: Indexes
    ) -> dict[str, WheelFile]:
        found: dict[str, WheelFile] = {}
        failures: dict[str, str] = {}
        for one in sources:
            if needs_compiler(archives[one.name]):
                continue
            try:
                wheel = self._build_here(one, archives[one.name], indexes)
            except BuildError as error:
                # It may need something that the image has, and this machine has not.
                failures[one.name] = str(error)
                continue
            if wheel is not None:
                found[one.name] = wheel
        rest = [one for one in sources if one.name not in found]
        try:
            return {**found, **self._build_inside(rest, archives, indexes)}
        except NoEngineError as error:
            raise self._without_engine(rest[0], failures, error) from error

    def _build_here(
        self, source: LockedSource, archive: Path, indexes: Indexes
    ) -> WheelFile | None:
        self.shop.progress.stage(f"Building a wheel of {source.title}")
        with workspace(self.shop.cache) as folder:
            wheel = build_pure_wheel(source, archive, self.python, indexes, folder)
            if wheel is None or not fits(wheel.name, self.shop.base.target):
                return None
            return self._built.keep(source, self._pure_key(source), wheel)

    def _build_inside(
        self, sources: Sequence[LockedSource], archives: Mapping[str, Path], indexes: Indexes
    ) -> dict[str, WheelFile]:
        if not sources:
            return {}
        stage = SourceWheels(tuple(one.title for one in sources))
        shop = replace(self.shop, stages=(*self.shop.stages, stage))
        with workspace(self.shop.cache) as folder:
            wheels = build_native_wheels(shop, self.place, sources, archives, indexes, folder)
            for one in sources:
                name = wheels[one.name].name
                if not fits(name, shop.base.target):
                    raise BuildError(f"{one.title} was built, but {name} does not fit the image.")
            return {
                one.name: self._built.keep(one, self._native_key(one), wheels[one.name])
                for one in sources
            }

    def _without_engine(
        self, source: LockedSource, failures: Mapping[str, str], error: NoEngineError
    ) -> NoWheelError:
        lines = [source.why]
        if source.name in failures:
            lines.append(f"It cannot be built on this machine: {failures[source.name]}")
        lines.append(
            "It could be built on the base image, but no engine for that can be used here:"
        )
        lines += [f"  {one}" for one in error.reasons]
        lines.append(
            "Install buildah, or start docker or podman, and build again; or, as root on Linux, use --engine sandbox."
        )
        return NoWheelError(source.title, str(self.shop.base.target), "\n".join(lines))

    @property
    def _built(self) -> BuiltWheels:
        return BuiltWheels(self.shop.cache)

    def _find(self, source: LockedSource) -> WheelFile | None:
        keys = (self._pure_key(source), self._native_key(source))
        found = (self._built.find(source, key) for key in keys)
        return next((one for one in found if one is not None), None)

    def _pure_key(self, source: LockedSource) -> str:
        version = self.shop.base.target.python_version
        return layer_key("pure wheel", STAGE_VERSION, identity_of(source), version)

    def _native_key(self, source: LockedSource) -> str:
        base, place = self.shop.base, self.place
        return layer_key(
            "wheel",
            STAGE_VERSION,
            identity_of(source),
            base.digest.hex,
            str(base.target),
            place.interpreter,
            [one.layer.diff_id.hex for one in place.lower],
            [PIP, *OLDER],
        )


def _with_digest(source: LockedSource) -> LockedSource:
    """Return a source whose commit says what is in its folder, if it has one."""
    if source.folder is None:
        return source
    return replace(source, commit=read_tree(source.folder).digest)
