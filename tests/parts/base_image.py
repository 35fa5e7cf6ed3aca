"""A base in a registry that looks like an official `python:X.Y-slim`: its layers, its variables, its history."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cogworks.oci.image import History, ImageConfig, RunConfig
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import Reference, parse_reference
from cogworks.registry.blobs import Blob, BytesBlob, FileBlob
from cogworks.registry.client import Client
from cogworks.registry.push import ImageToPush, push_image
from tests.parts.base_tree import BaseTree

PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = "2024-01-01T00:00:00Z"


def python_environment(tree: BaseTree) -> dict[str, str]:
    """Return the variables that official images set."""
    return {"PATH": PATH, "LANG": "C.UTF-8", "PYTHON_VERSION": tree.python_version}


def base_image(tree: BaseTree, env: Mapping[str, str] | None = None) -> ImageToPush:
    """Return a tree as an image.

    Args:
        env: its variables, instead of those of official images.
    """
    suite, python = tree.recipe.suite, tree.recipe.python
    architecture = os.uname().machine
    history = [
        History(f"# debian.sh --arch '{architecture}' out/ '{suite}' '@1'", CREATED),
        History(f"RUN ln -s /usr/bin/python{python} /usr/local/bin/ # made by tests", CREATED),
        History('CMD ["python3"]', CREATED, empty_layer=True),
    ]
    layers = [layer for layer, _ in tree.layers]
    run = RunConfig(python_environment(tree) if env is None else dict(env), cmd=("python3",))
    config = ImageConfig(parse_platform(architecture), run, created=CREATED)
    config = config.with_layers(layers, history)
    manifest = Manifest(config.descriptor, tuple(layer.descriptor for layer in layers))
    blobs: list[Blob] = [BytesBlob(config.to_bytes())]
    blobs += [FileBlob(path, layer.digest, layer.size_bytes) for layer, path in tree.layers]
    return ImageToPush(manifest, {one.digest: one for one in blobs})


def push_base(client: Client, host: str, tree: BaseTree) -> Reference:
    """Push a tree to a registry as the base of its Python; return its name there."""
    reference = parse_reference(f"{host}/library/python:{tree.recipe.python}-slim")
    push_image(client, reference, base_image(tree))
    return reference
