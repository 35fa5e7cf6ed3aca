"""Buildah as an engine, and podman, which has the same builder and the same words; no daemon.

Commands run in a `chroot`, with this machine's network: that works for root, for other users, and inside containers, where
the isolation of a container runtime often does not. `BUILDAH_ISOLATION` chooses another one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.errors import StageError
from cogworks.build.stages.builder import (
    FILE,
    above_of,
    new_name,
    proxy_options,
    run_build,
    secret_options,
    write_context,
)
from cogworks.build.stages.engine import Job
from cogworks.build.stages.program import follow, reading
from cogworks.build.stages.saved import read_new_layers

ISOLATION = "BUILDAH_ISOLATION"
_TAG = "below"
"""Of our image in the layout that it is read from."""


@dataclass(frozen=True)
class Buildah:
    """Buildah's program, or podman's."""

    program: str
    environment: Mapping[str, str] = field(repr=False)
    name: str = "buildah"

    def run(self, job: Job, folder: Path, on_line: Callable[[str], None]) -> list[Path]:
        """Run a job; return its layers as plain tar files, lowest first."""
        below = job.name or new_name()
        above = above_of(below)
        try:
            self._load(job, below, folder)
            self._build(job, below, above, on_line)
            # A pipe in the place of a file: the archive is read while it is written.
            command = [self.program, "push", "--quiet", above, "docker-archive:/dev/stdout"]
            with reading(command, self.environment, f"{self.name} push failed") as stream:
                return read_new_layers(stream, job.below.diff_ids, folder)
        finally:
            self.remove(below)

    def remove(self, name: str) -> None:
        """Remove the images and the container of a job."""
        # A builder that was killed leaves its container, which is named after the image.
        container = f"{name.rpartition('/')[2]}-working-container"
        commands = (["rm", container], ["rmi", "--force", above_of(name)], ["rmi", "--force", name])
        for arguments in commands:
            with suppress(StageError):
                self._ask(arguments)

    def _load(self, job: Job, name: str, folder: Path) -> None:
        # Beside the cache, so that layers can be linked instead of copied.
        with tempfile.TemporaryDirectory(dir=folder, prefix="load-") as scratch:
            # The folder's name becomes the image's, so it is named from beside it.
            layout = Path(scratch, name.rpartition("/")[2])
            job.below.write_layout(layout, _TAG)
            self._ask(["pull", "--quiet", f"oci:{layout.name}:{_TAG}"], Path(scratch))

    def _build(self, job: Job, below: str, above: str, on_line: Callable[[str], None]) -> None:
        with tempfile.TemporaryDirectory(prefix="cog-stage-") as name:
            context, links = Path(name, "context"), Path(name, "links")
            context.mkdir()
            links.mkdir()
            offset = write_context(job, below, context)
            isolation = self.environment.get(ISOLATION) or "chroot"
            command = [self.program, "build", "--file", os.fspath(context / FILE), "--tag", above]
            command += ["--isolation", isolation, "--layers=false", "--force-rm", "--pull=never"]
            command += ["--platform", str(job.below.platform)]
            command += ["--network", "host"] if job.network.is_host else []
            command += [*secret_options(job, links), *proxy_options(job), os.fspath(context)]
            run_build(job, command, self.environment, offset, on_line)

    def _ask(self, arguments: list[str], directory: Path | None = None) -> None:
        command = [self.program, *arguments]
        ended = follow(command, self.environment, lambda _: None, directory=directory)
        if ended.code:
            said = ended.lines[-1] if ended.lines else f"exit code {ended.code}"
            raise StageError(f"{self.name} {arguments[0]} failed: {said}")
