"""The labels of an image: what it was made from and what it takes, so that nobody has to start it to know.

Each one that changes makes a new image, so they are few, and none tells when or where the image was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cogworks._version import __version__
from cogworks.build.sbom import LABEL as SBOM
from cogworks.engines.redact import redact
from cogworks.oci.digest import digest_of
from cogworks.oci.documents import Json, canonical_json
from cogworks.project.cuda import CudaSelection
from cogworks.project.model import Project, RunCommand

FREEZE = "run.cog.pip_freeze"
"""The one label with line breaks: a line for each package."""


def image_labels(
    project: Project,
    document: Mapping[str, Json],
    freeze: Sequence[str],
    sbom: bytes,
    revision: Mapping[str, str] | None = None,
    cuda: CudaSelection | None = None,
) -> dict[str, str]:
    """Return the labels of a project's image.

    Args:
        cuda: what was selected for a GPU project; as elsewhere in the format, cog.yaml counts as if it said so.
        document: the OpenAPI document; an empty one has no label.
        freeze: the model's packages, `name==version`.
        sbom: the bill of materials.
        revision: what ``revision.find_revision`` found.
    """
    return {
        "run.cog.version": __version__,
        "run.cog.config": canonical_json(effective_config(project, cuda)).decode(),
        **({"run.cog.openapi_schema": canonical_json(document).decode()} if document else {}),
        FREEZE: "\n".join(freeze),
        "run.cog.has_init": "true",
        SBOM: str(digest_of(sbom)),
        **(revision or {}),
    }


def effective_config(project: Project, cuda: CudaSelection | None = None) -> dict[str, Json]:
    """Return cog.yaml as it is understood; what is not set is left out, paths are relative to it.

    As elsewhere in the format, the reference of the model is called `predict`.
    """
    concurrency: Mapping[str, Json] = (
        {} if project.concurrency_max is None else {"max": project.concurrency_max}
    )
    environment = tuple(f"{name}={value}" for name, value in project.environment)
    fields: dict[str, Json] = {
        "build": _build(project, cuda),
        "predict": project.run,
        "train": project.train,
        "image": project.image,
        "model": project.model,
        "concurrency": concurrency,
        "environment": environment,
    }
    return _without_empty(fields)


def _build(project: Project, cuda: CudaSelection | None) -> dict[str, Json]:
    build = project.build
    source = build.requirements_file
    requirements = None
    if source is not None:
        inside = source.is_relative_to(project.directory)
        requirements = source.relative_to(project.directory).as_posix() if inside else source.name
    return _without_empty(
        {
            "python_version": build.python_version,
            "python_requirements": requirements,
            # Of these, texts that may hold a URL with a password in it.
            "python_packages": tuple(redact(one) for one in build.python_packages),
            "system_packages": build.system_packages,
            "run": tuple(_command(one) for one in build.run),
            "pre_install": tuple(redact(one) for one in build.pre_install),
            "gpu": build.gpu,
            "cuda": cuda.cuda if cuda else build.cuda,
            "cudnn": cuda.cudnn if cuda else build.cudnn,
            "sdk_version": build.sdk_version,
            "base_image": build.base_image,
            "user": build.user,
            "weights": build.weight_patterns,
            "lock": build.lock,
        }
    )


def _command(one: RunCommand) -> Json:
    command = redact(one.command)
    if not one.mounts:
        return command
    mounts: list[Json] = [
        {"type": "secret", "id": mount.id, "target": mount.target} for mount in one.mounts
    ]
    return {"command": command, "mounts": mounts}


def _without_empty(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value}
