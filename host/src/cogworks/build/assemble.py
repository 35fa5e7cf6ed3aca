"""From a project and its base to a whole image: layers on disk, configuration and manifest in memory, nothing sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogworks.build.base_image import Base
from cogworks.build.bytecode import Seats
from cogworks.build.cache import Cache
from cogworks.build.code_layer import SCHEMA_NAME
from cogworks.build.image import (
    DEFAULT_USER,
    Start,
    TitledLayer,
    image_config,
    image_manifest,
    model_environment,
)
from cogworks.build.interpreter_layer import interpreter_layer
from cogworks.build.labels import image_labels
from cogworks.build.layers import (
    NamedLayer,
    OnLayer,
    Options,
    Others,
    Step,
    make_layers,
    run_steps,
)
from cogworks.build.materials import bill_of, sbom_artifact
from cogworks.build.own_wheels import SDK
from cogworks.build.pythons import Pythons, find_pythons
from cogworks.build.sbom import sbom_document
from cogworks.build.sdk_layer import sdk_layer
from cogworks.build.server_layer import PACKAGES, server_layer, server_wheels
from cogworks.build.stages.image_stages import image_stages
from cogworks.build.stages.stage import needed_stages
from cogworks.build.stages.tools import StageOptions, Workshop, anonymous_client
from cogworks.engines.progress import Progress
from cogworks.engines.requirement_lines import project_packages
from cogworks.oci.digest import Digest
from cogworks.oci.documents import canonical_json
from cogworks.oci.image import ImageConfig
from cogworks.oci.layer import Codec
from cogworks.oci.manifest import Manifest
from cogworks.project.cuda import select_cuda
from cogworks.project.model import Project
from cogworks.registry.artifact import Artifact
from cogworks.registry.blobs import Blob, BytesBlob, RemoteBlob
from cogworks.schema import describe

if TYPE_CHECKING:
    from cogworks.registry.client import Client


@dataclass(frozen=True, slots=True)
class How:
    """What may differ between two images of one project.

    Attributes:
        separate_weights: count smaller files as weights too, unless they are code or media.
        with_code: whether the project's files are in it; without, they are to be mounted at `/src`.
        created_s: `SOURCE_DATE_EPOCH`, or 0.
        revision: labels of the commit and the version.
        server_packages: a requirements file of all that the server needs.
        document: the OpenAPI document, if it is known; None to read it from the source, empty for an image without.
        stages: how steps are done that execute something inside the image.
    """

    codec: Codec = Codec.GZIP
    weight_patterns: tuple[str, ...] = ()
    separate_weights: bool = False
    bytecode: bool = True
    keep_lock: bool = False
    with_code: bool = True
    jobs: int = 0
    user: str = DEFAULT_USER
    created_s: int = 0
    revision: Mapping[str, str] = field(default_factory=dict[str, str])
    server_packages: Path = PACKAGES
    document: Mapping[str, Any] | None = None
    stages: StageOptions = field(default_factory=StageOptions)

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Files of this machine that were given as secrets."""
        return tuple(one.path for one in self.stages.secrets if one.path is not None)


@dataclass(frozen=True)
class BuiltImage:
    """An image whose own layers are files of the cache, and whose base is where it was.

    Attributes:
        layers: those above the base, lowest first.
        notices: whole sentences.
        passing_notices: those of them that are said only where layers were packed anew.
        sbom: the bill of materials, whose digest is in a label.
    """

    base: Base
    config: ImageConfig
    manifest: Manifest
    layers: tuple[NamedLayer, ...]
    notices: tuple[str, ...]
    sbom: bytes = field(repr=False)
    passing_notices: frozenset[str] = frozenset()

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """What belongs beside the image in a registry."""
        return (sbom_artifact(self.sbom, self.manifest),)

    @property
    def digest(self) -> Digest:
        """What a registry calls the image."""
        return self.manifest.digest

    def blobs(self, client: Client) -> dict[Digest, Blob]:
        """Return every blob of the manifest; the base's come from its registry when they are read."""
        own: list[Blob] = [one.cached.blob for one in self.layers]
        repository = self.base.reference.repository
        remote: list[Blob] = [
            RemoteBlob(client, repository, one) for one in self.base.image.manifest.layers
        ]
        config: Blob = BytesBlob(self.config.to_bytes())
        return {one.digest: one for one in (*remote, *own, config)}


def assemble(
    project: Project,
    base: Base,
    cache: Cache,
    progress: Progress,
    how: How,
    environment: Mapping[str, str],
    on_layer: OnLayer | None = None,
    connect: Callable[[], Client] = anonymous_client,
) -> BuiltImage:
    """Return the image of a project.

    Args:
        environment: the variables that uv runs under, and that name indexes and their credentials.
        on_layer: hears of each layer as soon as it is there, lowest first within the project's and within ours.
        connect: returns the client that fetches the base's layers, where something has to be executed on them.

    Raises:
        SchemaError: the model's signature cannot be read; nothing was downloaded.
        SecretError: a command wants a secret that is not there; nothing was downloaded.
        BuildError: a layer cannot be made, or the project asks for something that this cannot do.
    """
    needed = needed_stages(project)
    shop = Workshop(base, cache, how.codec, progress, connect, needed, how.stages, environment)
    stages = image_stages(project, shop, on_layer)
    document = describe(project) if how.document is None else how.document
    version, seats = project.build.python_version, Seats(how.jobs)
    pythons = find_pythons(base, version, cache, progress, environment, seats)
    metadata = {SCHEMA_NAME: canonical_json(document)} if document else {}
    system = stages.system()
    brought = _brought_layers(pythons, cache, how, on_layer)
    options = Options(
        base.interpreter,
        pythons.model.compiler,
        how.codec,
        base.layer_limit - stages.layer_count,
        how.weight_patterns,
        how.separate_weights,
        how.bytecode,
        how.keep_lock,
        how.with_code,
        how.jobs,
        on_layer,
        stages.source_builder(pythons, (*system, *brought)),
        how.secret_files,
    )
    others = partial(_ours, pythons, cache, progress, how, environment)
    made = make_layers(
        project, base.target, cache, progress, options, metadata, environment, others
    )
    below = (*system, *brought, *made.lower, *made.beside)
    compiler = pythons.model.compiler if how.bytecode else None
    layers = (*below, *stages.commands(below, made.freeze, compiler), *made.upper)
    sbom = sbom_document(bill_of(base, made, made.beside_wheels, pythons, layers))
    cuda = select_cuda(project, project_packages(project, base.target.machine))
    labels = image_labels(project, document, made.freeze, sbom, how.revision, cuda)
    config, manifest = _documents(project, base, layers, labels, how)
    return BuiltImage(base, config, manifest, layers, made.notices, sbom, frozenset(made.conflicts))


def _documents(
    project: Project,
    base: Base,
    layers: tuple[NamedLayer, ...],
    labels: Mapping[str, str],
    how: How,
) -> tuple[ImageConfig, Manifest]:
    start = Start(model_environment(project), labels, how.user, how.created_s)
    titled = [TitledLayer(one.title, one.cached.layer) for one in layers]
    config = image_config(base.image.config, titled, start)
    return config, image_manifest(base.image.manifest, base.digest, config, titled)


def _brought_layers(
    pythons: Pythons, cache: Cache, how: How, on_layer: OnLayer | None
) -> tuple[NamedLayer, ...]:
    """Return the layers of Pythons that the base does not have."""
    steps = [
        (
            f"Python {one.version}",
            partial(interpreter_layer, cache, one, how.codec, bytecode=how.bytecode),
        )
        for one in pythons.brought
    ]
    return run_steps(steps, how.jobs, on_layer, cache.abandon)


def _ours(
    pythons: Pythons, cache: Cache, progress: Progress, how: How, environment: Mapping[str, str]
) -> Others:
    """Return what makes the layers of the server and of the SDK."""
    model, server = pythons.model, pythons.server
    wheels = server_wheels(server.target, cache, progress, environment, how.server_packages)
    sdk = next(one for one in wheels if one.name == SDK)
    compilers = [one.compiler if how.bytecode else None for one in (server, model)]
    python, path = server.target.python, server.interpreter
    steps: list[Step] = [
        ("server", partial(server_layer, cache, wheels, python, path, compilers[0], how.codec)),
        ("SDK", partial(sdk_layer, cache, sdk, model.target.python, compilers[1], how.codec)),
    ]
    return Others(steps, wheels)
