"""Docker as an engine: images go in by `docker load` and come out by `docker save`, so that no registry is needed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.errors import StageError
from cogworks.build.load import Loadable, load
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
from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import ContainerError


@dataclass(frozen=True)
class Docker:
    """Docker's program, and through it a daemon.

    Attributes:
        builder: the builder of the daemon itself; another one, in a container, would not know our images.
            Empty where the program cannot have BuildKit build.
    """

    engine: ContainerEngine
    builder: str = "default"

    @property
    def name(self) -> str:
        """What people call it."""
        return "docker"

    def run(self, job: Job, folder: Path, on_line: Callable[[str], None]) -> list[Path]:
        """Run a job; return its layers as plain tar files, lowest first."""
        below = job.name or new_name()
        above = above_of(below)
        try:
            image = Loadable(job.below.config, job.below.manifest, job.below.blobs)
            load(self.engine, image, below)
            self._build(job, below, above, on_line)
            command = [self.engine.program, "save", above]
            with reading(command, self.engine.environment, "docker save failed") as stream:
                return read_new_layers(stream, job.below.diff_ids, folder)
        except ContainerError as error:
            raise StageError(str(error)) from error
        finally:
            self.remove(below)

    def _build(self, job: Job, below: str, above: str, on_line: Callable[[str], None]) -> None:
        has_buildkit = bool(self.builder)
        with_secret = next((step for step in job.steps if step.mounts), None)
        if with_secret is not None and not has_buildkit:
            raise StageError(
                f"{with_secret.where} needs a secret, which only docker's BuildKit can give it, and "
                f"{self.engine.program} lacks its component buildx. Install docker-buildx, or buildah."
            )
        with tempfile.TemporaryDirectory(prefix="cog-stage-") as name:
            context, links = Path(name, "context"), Path(name, "links")
            context.mkdir()
            links.mkdir()
            offset = write_context(job, below, context)
            command = [
                self.engine.program,
                "build",
                "--file",
                os.fspath(context / FILE),
                "--tag",
                above,
            ]
            command += ["--platform", str(job.below.platform)]
            command += ["--no-cache"] if job.no_cache else []
            command += ["--network", "host"] if job.network.is_host else []
            if has_buildkit:
                command += ["--progress", "plain", *secret_options(job, links)]
            else:
                command.append("--force-rm")
            command += [*proxy_options(job), os.fspath(context)]
            variables = {
                **self.engine.environment,
                "DOCKER_BUILDKIT": "1" if has_buildkit else "0",
                "BUILDX_BUILDER": self.builder,
            }
            run_build(job, command, variables, offset, on_line)

    def remove(self, name: str) -> None:
        """Remove the images of a job."""
        # One after the other: a name that is not there must not keep the other one.
        for one in (above_of(name), name):
            with suppress(StageError):
                command = [self.engine.program, "image", "rm", "--force", one]
                follow(command, self.engine.environment, lambda _: None)
