"""podman, buildah and skopeo with storage of their own; nothing runs that would have to be ended."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.parts.engine import Engine, plain_environment
from tests.parts.folder import storage_folder
from tests.parts.missing import MissingPart, find_program, need_root

STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""

# The usual locks and folders are shared with every other podman of this machine; limits must not be above our own.
# runc is taken where it is, since crun refuses machines on which cgroups of both versions are mounted.
CONTAINERS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "{runtime}"
tmp_dir = "{folder}/tmp"
"""

LIMIT = 1024


@contextmanager
def container_tools() -> Generator[Mapping[str, str]]:
    """Make an environment in which podman, buildah and skopeo work, apart from everything else."""
    with storage_folder("podman") as folder:
        yield _configure(folder)


@contextmanager
def podman() -> Generator[Engine]:
    """Offer podman while the block runs.

    Raises:
        MissingPart: it is not installed, or this is not root.
    """
    program = find_program("podman", "podman")
    need_root("podman with networks and overlays")
    with container_tools() as environment:
        engine = Engine(program, environment)
        done = engine.run("info", check=False)
        if done.returncode:
            raise MissingPart(f"podman does not work here: {done.stderr.strip()}")
        try:
            yield engine
        finally:
            engine.run("rm", "--all", "--force", "--volumes", check=False)


@contextmanager
def buildah() -> Generator[Engine]:
    """Offer buildah while the block runs; its steps run without a runtime, by chroot.

    Raises:
        MissingPart: it is not installed, or this is not root.
    """
    program = find_program("buildah", "buildah")
    need_root("buildah with overlays")
    with container_tools() as environment:
        engine = Engine(program, {**environment, "BUILDAH_ISOLATION": "chroot"})
        done = engine.run("info", check=False)
        if done.returncode:
            raise MissingPart(f"buildah does not work here: {done.stderr.strip()}")
        yield engine


@contextmanager
def skopeo() -> Generator[Engine]:
    """Offer skopeo while the block runs.

    Raises:
        MissingPart: it is not installed.
    """
    program = find_program("skopeo", "skopeo")
    with container_tools() as environment:
        yield Engine(program, environment)


def _configure(folder: Path) -> Mapping[str, str]:
    files, processes = (
        min(LIMIT, resource.getrlimit(one)[1]) if resource.getrlimit(one)[1] > 0 else LIMIT
        for one in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
    )
    runtime = "runc" if shutil.which("runc", path="/usr/sbin:/usr/bin") else "crun"
    values = {"files": files, "processes": processes, "runtime": runtime, "folder": folder}
    (folder / "storage.conf").write_text(STORAGE.format(**values))
    (folder / "containers.conf").write_text(CONTAINERS.format(**values))
    (folder / "auth.json").write_text('{"auths": {}}')
    (folder / "registries.conf").write_text("unqualified-search-registries = []\n")
    return {
        **plain_environment(str(folder)),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
        "TMPDIR": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
    }
