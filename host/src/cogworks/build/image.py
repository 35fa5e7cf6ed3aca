"""The image's configuration and manifest, from those of its base and the layers above; pure.

Whatever is in it must be the same for the same project: no clock, no name of a machine, no path of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cogworks.build.errors import LayerLimitError
from cogworks.build.grouping import LAYERS_MAX
from cogworks.oci.digest import Digest
from cogworks.oci.image import History, ImageConfig, RunConfig, created_text
from cogworks.oci.layer import Layer, oci_layer_type
from cogworks.oci.manifest import Manifest
from cogworks.project.model import Project

ENTRYPOINT = ("/opt/cogworks/bin/dumb-init", "--")
"""Passes signals on and buries what a model leaves behind, as the first process of a container has to."""
CMD = ("python", "-m", "cog.server.http")
WORKING_DIR = "/src"
PORT = "5000/tcp"
DEFAULT_USER = "1000:1000"
"""Nobody in particular, and not root; files in the image belong to root."""
ROOT_USERS = frozenset({"root", "0"})
"""What stands before the colon of a user that is root."""

VENV_BIN = "/opt/venv/bin"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are in an image that does not say."""
FIXED_ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "PYTHONUNBUFFERED": "1",
    "NVIDIA_DRIVER_CAPABILITIES": "all",
}
"""Variables of every image; a project cannot set those that others rest on."""
_LIBRARIES = {"amd64": "/usr/lib/x86_64-linux-gnu", "arm64": "/usr/lib/aarch64-linux-gnu"}
_NVIDIA = ("/usr/local/nvidia/lib64", "/usr/local/nvidia/bin")
"""Where container engines put the driver's libraries."""


@dataclass(frozen=True, slots=True)
class TitledLayer:
    """A layer, and what its line of history says is in it."""

    title: str
    layer: Layer


@dataclass(frozen=True, slots=True)
class Start:
    """How a container of the image is started.

    Attributes:
        created_s: seconds since 1970, `SOURCE_DATE_EPOCH`; 0 where there is none.
    """

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str = DEFAULT_USER
    created_s: int = 0


def image_config(base: ImageConfig, layers: Sequence[TitledLayer], start: Start) -> ImageConfig:
    """Return the configuration of an image.

    Args:
        layers: what lies above the base, lowest first.

    Raises:
        LayerLimitError: there are more layers than docker can mount.
    """
    count = len(base.diff_ids) + len(layers)
    if count > LAYERS_MAX:
        raise LayerLimitError(
            f"An image has at most {LAYERS_MAX} layers, and this one would have {count}: "
            f"{len(base.diff_ids)} of its base. Use a base image with fewer layers."
        )
    created = created_text(start.created_s)
    history = [History(f"cog build: {one.title}", created) for one in layers]
    with_layers = base.with_layers([one.layer for one in layers], history)
    return replace(with_layers, run=_run(base, start), created=created, author="")


def image_manifest(
    base: Manifest, base_digest: Digest, config: ImageConfig, layers: Sequence[TitledLayer]
) -> Manifest:
    """Return the manifest of an image; the base's layers keep their bytes and get OCI's names.

    Args:
        base_digest: of the base's manifest as its registry has it, which may be spelled in another way than ours.
    """
    below = (replace(one, media_type=oci_layer_type(one.media_type)) for one in base.layers)
    own = (one.layer.descriptor for one in layers)
    # Where the base came from is left out: the same base of a mirror gives the same image.
    annotations = {"org.opencontainers.image.base.digest": str(base_digest)}
    return Manifest(config.descriptor, (*below, *own), annotations)


def model_environment(project: Project) -> dict[str, str]:
    """Return the variables that a project asks for, and those that tell the server what it is."""
    found = dict(sorted(project.environment))
    if project.run is not None:
        found["COG_PREDICT_TYPE_STUB"] = project.run
    if project.train is not None:
        found["COG_TRAIN_TYPE_STUB"] = project.train
    if project.concurrency_max is not None:
        found["COG_MAX_CONCURRENCY"] = str(project.concurrency_max)
    if project.workers is not None:
        found["COG_WORKERS"] = str(project.workers)
    return found


def _run(base: ImageConfig, start: Start) -> RunConfig:
    return replace(
        base.run,
        env=image_environment(base, start),
        entrypoint=ENTRYPOINT,
        cmd=CMD,
        working_dir=WORKING_DIR,
        user=start.user,
        labels={**base.run.labels, **start.labels},
        exposed_ports=tuple(dict.fromkeys((*base.run.exposed_ports, PORT))),
    )


def image_environment(base: ImageConfig, start: Start) -> dict[str, str]:
    """Return the variables of an image: the base's, the project's, and those that lead to the model's packages."""
    libraries = library_folders(base.platform.architecture)
    found = {
        **base.run.env,
        **FIXED_ENVIRONMENT,
        "LD_LIBRARY_PATH": _joined(base.run.env.get("LD_LIBRARY_PATH", ""), *libraries),
        **home_of(start.user),
        **start.environment,
    }
    # In front of whatever the base or the project says, or `python` would be another one.
    found["PATH"] = _joined(VENV_BIN, found.get("PATH") or DEFAULT_PATH)
    return found


def library_folders(architecture: str) -> tuple[str, ...]:
    """Return the folders that every image looks for libraries in, after those of its base."""
    return tuple(filter(None, (_LIBRARIES.get(architecture, ""), *_NVIDIA)))


def home_of(user: str) -> dict[str, str]:
    """Return a home and a name for a user that no file of the image knows; libraries ask for both.

    A user with a name is one of the base's, and has a home there.
    """
    name = user.partition(":")[0]
    is_unknown = name.isdigit() and name not in ROOT_USERS
    return {"HOME": "/tmp", "USER": "cog"} if is_unknown else {}


def _joined(*parts: str) -> str:
    """Join search paths, each folder once; an empty one would be the working directory."""
    folders = [folder for part in parts for folder in part.split(":") if folder]
    return ":".join(dict.fromkeys(folders))
