"""What an image is called, and where it is pushed to: from options, cog.yaml and variables; pure.

Built under:    `-t` > `image` > `model` > `cog-<folder>`
Pushed to:      `COG_MODEL` > `model` (with `COG_MODEL_REGISTRY`, `COG_MODEL_REPO`, `COG_MODEL_TAG`) > the argument > `image`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from cogworks.build.errors import ImageNameError
from cogworks.oci.reference import (
    DEFAULT_TAG,
    Reference,
    Repository,
    parse_reference,
    parse_registry,
)
from cogworks.project.model import Project

FOLDER_MAX_CHARS = 26
"""How much of the folder's name is used; with the prefix it has 30 characters. Source: the format."""
PREFIX = "cog-"
RESERVED_TAG = "cog-"
"""Tags that begin so are the format's own."""
MODEL_VARIABLES = ("COG_MODEL", "COG_MODEL_REGISTRY", "COG_MODEL_REPO", "COG_MODEL_TAG")
_TIME = "%Y%m%dT%H%M%SZ"


def image_name(project: Project, tag: str | None = None) -> Reference:
    """Return the name of a project's image; without a tag it is `latest`.

    Args:
        tag: what `-t` says: a whole name, with or without a tag.

    Raises:
        InvalidReferenceError: the name is none.
        ImageNameError: it has a digest.
    """
    # An empty name is one whose variable was not set: it must not mean another image.
    default = project.image or project.model or default_name(project.directory.name)
    text = default if tag is None else tag
    reference = parse_reference(text)
    if reference.digest is not None:
        raise ImageNameError(
            f"{text} names an image by digest: one that is yet to be built has none."
        )
    return reference if reference.tag else replace(reference, tag=DEFAULT_TAG)


def default_name(folder: str) -> str:
    """Return the name for a project that names no image, made of its folder's name."""
    kept = re.sub(r"[^a-z0-9-]", "", folder.lower().replace(" ", "-"))
    # A repository's name has no dash at its ends, and single letters and digits around others.
    name = kept[:FOLDER_MAX_CHARS].strip("-") or "model"
    return name if name.startswith(PREFIX) else f"{PREFIX}{name}"


def push_target(
    project: Project, argument: str | None, environ: Mapping[str, str], now: datetime
) -> Reference:
    """Return where a project's image is pushed to.

    Args:
        argument: the name given on the command line.
        now: the tag of a model that names none, in UTC.

    Raises:
        InvalidReferenceError: a name is none.
        ImageNameError: there is no name, or two that exclude each other.
    """
    given = [name for name in MODEL_VARIABLES if environ.get(name)]
    config = project.config_path.name
    if given and project.image is not None:
        raise ImageNameError(
            f"{config} sets image, and {', '.join(given)} is for projects with model. "
            f"Unset it, or rename image to model in {config}."
        )
    if project.model is not None or environ.get("COG_MODEL"):
        if argument is not None:
            raise ImageNameError(
                f"positional image argument not supported with 'model' in {config}: it is pushed to "
                "the model's repository. Use COG_MODEL or COG_MODEL_TAG to push elsewhere."
            )
        return _model_reference(project.model, environ, now)
    if argument is None and project.image is None:
        raise ImageNameError(
            f"there is no name to push to. Set image in {config}, such as "
            "image: registry.example/me/my-model, or name it: cog push registry.example/me/my-model"
        )
    return image_name(project, argument)


def _model_reference(model: str | None, environ: Mapping[str, str], now: datetime) -> Reference:
    whole = environ.get("COG_MODEL")
    reference = parse_reference(whole or model or "")
    registry, path = environ.get("COG_MODEL_REGISTRY"), environ.get("COG_MODEL_REPO")
    tag = reference.tag
    if not whole:
        repository = Repository(
            parse_registry(registry) if registry else reference.registry,
            path or reference.repository.name,
        )
        # Parsed again, because the parts may not fit together.
        reference = parse_reference(str(repository))
        tag = environ.get("COG_MODEL_TAG")
    if reference.digest is not None:
        raise ImageNameError(f"{whole} names an image by digest: what is pushed gets a new one.")
    if tag is not None and tag.startswith(RESERVED_TAG):
        raise ImageNameError(
            f"the tag {tag} is reserved: tags of a model do not start with 'cog-'."
        )
    chosen = tag or now.astimezone(UTC).strftime(_TIME)
    return parse_reference(f"{reference.repository}:{chosen}")
