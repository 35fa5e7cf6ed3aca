"""Those who take part, each behind the same three words: prepare, forget, build and push.

What is timed is `build_and_push`, whole commands from their start to their end. Each builder is used as its
documentation says: layers in the order of how often they change, its own cache, its own way to push.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.build.site import WHEELS, Site
from tests.parts.dockerd import dockerd
from tests.parts.engine import plain_environment
from tests.parts.folder import storage_folder
from tests.parts.missing import find_program, need_root

DOCKERFILE = f"""\
ARG BASE
FROM $BASE
WORKDIR /src
COPY requirements.txt /tmp/requirements.txt
RUN pip install --quiet --break-system-packages --no-index --find-links /{WHEELS} -r /tmp/requirements.txt
COPY . /src
EXPOSE 5000
CMD ["python", "-m", "cog.server.http"]
"""
OURS = "cogworks"
REPOSITORY, SHARED = "me/model", "me/shared"
"""Of the image, and of what machines share."""


class BuildFailed(Exception):
    """A builder's command failed; the message is the end of what it said."""


class Builder(Protocol):
    """One way to build a project and push it."""

    name: str

    def prepare(self, site: Site) -> None:
        """Get what is not timed: the base, where a builder needs it here."""
        ...

    def forget_layers(self) -> None:
        """Forget the layers made so far, but nothing that was downloaded."""
        ...

    def elsewhere(self) -> AbstractContextManager[None]:
        """Be on a machine that has never built or downloaded anything, while the block runs."""
        ...

    def build_and_push(self, project: Path, site: Site, *, is_shared: bool = False) -> None:
        """Build the project and push it.

        Args:
            is_shared: use what another machine has left in the registry, and leave the same there.
        """
        ...


@dataclass
class Cogworks:
    """Our commands, as installed in the environment of this Python."""

    cache: Path
    name: str = OURS
    keeps_bytecode: bool = True

    def prepare(self, site: Site) -> None:
        """Nothing: the base stays where it is."""

    def forget_layers(self) -> None:
        """Remove layers, and compiled modules too, if they are not to be kept."""
        kinds = ["layers", "images"] if self.keeps_bytecode else ["layers", "images", "bytecode"]
        options = [option for kind in kinds for option in ("--kind", kind)]
        self._cog(["cache", "prune", "--all", *options], Path.cwd(), {})

    @contextmanager
    def elsewhere(self) -> Generator[None]:
        """Have another cache, uv's included."""
        usual, self.cache = self.cache, self.cache.with_name(f"{self.cache.name}-elsewhere")
        try:
            yield
        finally:
            shutil.rmtree(self.cache, ignore_errors=True)
            self.cache = usual

    def build_and_push(self, project: Path, site: Site, *, is_shared: bool = False) -> None:
        """Push, which builds."""
        offline = {"UV_FIND_LINKS": str(site.wheels), "COG_PYTORCH_INDEX": "off"}
        if is_shared:
            offline["COG_LAYER_INDEX"] = f"{site.host}/{SHARED}"
        target = f"{site.host}/{REPOSITORY}"
        options = ["--base-image", site.base, "--progress", "quiet"]
        self._cog(["push", *options, target], project, offline)

    def _cog(self, arguments: Sequence[str], folder: Path, more: Mapping[str, str]) -> None:
        own = {"COG_CACHE_DIR": str(self.cache), "UV_CACHE_DIR": str(self.cache / "uv")}
        environment = {**os.environ, **own, **more}
        # Installed packages are compiled; so is what this runs.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [str(Path(sys.executable).with_name("cog")), *arguments]
        run(command, folder, environment)


@dataclass
class Docker:
    """BuildKit through docker's client, then `docker push`."""

    client: str
    environment: Mapping[str, str] = field(repr=False)
    name: str = "docker BuildKit"
    is_fresh: bool = False

    def prepare(self, site: Site) -> None:
        """Pull the base."""
        self._docker(["pull", "--quiet", site.base], Path.cwd())

    def forget_layers(self) -> None:
        """Let the next build make every layer anew."""
        self.is_fresh = True

    @contextmanager
    def elsewhere(self) -> Generator[None]:
        """Remove images, the base's too, and BuildKit's cache."""
        self._docker(["system", "prune", "--all", "--force"], Path.cwd())
        self._docker(["builder", "prune", "--all", "--force"], Path.cwd())
        yield

    def build_and_push(self, project: Path, site: Site, *, is_shared: bool = False) -> None:
        """Build, then push; what is shared is the cache within the image."""
        target = f"{site.host}/{REPOSITORY}"
        options = ["--no-cache"] if self.is_fresh else []
        if is_shared:
            options += ["--cache-from", target, "--build-arg", "BUILDKIT_INLINE_CACHE=1"]
        arguments = ["--quiet", "--build-arg", f"BASE={site.base}", "--tag", target, "."]
        self._docker(["build", *options, *arguments], project)
        self._docker(["push", "--quiet", target], project)
        self.is_fresh = False

    def _docker(self, arguments: Sequence[str], folder: Path) -> None:
        run([self.client, *arguments], folder, self.environment)


@dataclass
class Buildah:
    """buildah without a daemon, with its own storage."""

    program: str
    storage: Path
    environment: Mapping[str, str] = field(repr=False)
    name: str = "buildah"
    is_fresh: bool = False

    def prepare(self, site: Site) -> None:
        """Pull the base."""
        self._buildah(["pull", "--quiet", "--tls-verify=false", site.base], Path.cwd())

    def forget_layers(self) -> None:
        """Let the next build make every layer anew."""
        self.is_fresh = True

    @contextmanager
    def elsewhere(self) -> Generator[None]:
        """Remove images, the base's too."""
        self._buildah(["rmi", "--all", "--force"], Path.cwd())
        yield

    def build_and_push(self, project: Path, site: Site, *, is_shared: bool = False) -> None:
        """Build with layers, then push; what is shared are steps in a repository of their own."""
        target = f"{site.host}/{REPOSITORY}"
        options = ["--layers", "--quiet", "--isolation", "chroot", "--tls-verify=false"]
        options += ["--no-cache"] if self.is_fresh else []
        if is_shared:
            options += [f"--cache-{way}={site.host}/{SHARED}" for way in ("from", "to")]
        base = ["--build-arg", f"BASE={site.base}"]
        self._buildah(["build", *options, *base, "--tag", target, "."], project)
        self._buildah(["push", "--quiet", "--tls-verify=false", target], project)
        self.is_fresh = False

    def _buildah(self, arguments: Sequence[str], folder: Path) -> None:
        places = ["--root", str(self.storage / "root"), "--runroot", str(self.storage / "run")]
        run([self.program, *places, *arguments], folder, self.environment)


@contextmanager
def docker_builder() -> Generator[Docker]:
    """Run a daemon of its own while the block runs.

    Raises:
        MissingPart: docker cannot be had here.
    """
    with dockerd() as docker:
        yield Docker(docker.client, docker.environment)


@contextmanager
def buildah_builder() -> Generator[Buildah]:
    """Give buildah storage of its own.

    Raises:
        MissingPart: it is not installed, or this is not root.
    """
    program = find_program("buildah", "buildah")
    need_root("buildah")
    with storage_folder("buildah") as storage:
        yield Buildah(program, storage, plain_environment(str(storage)))


def write_dockerfile(project: Path) -> None:
    """Write what the others build by; it is no part of an image of ours."""
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command to its end.

    Raises:
        BuildFailed: it failed.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-500:]
        raise BuildFailed(f"{shutil.which(command[0]) or command[0]} {command[1]}: {said}")
