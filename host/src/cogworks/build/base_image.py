"""The base of an image: its manifest and configuration, and what packages have to be chosen for; no layer of it comes here.

A base that is named by digest is asked for once: its two documents stay in the cache.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cogworks.build.cache import Cache
from cogworks.build.errors import BaseError
from cogworks.build.glibc import find_glibc, is_alpine
from cogworks.build.grouping import LAYERS_MAX
from cogworks.build.standalone import interpreter_of
from cogworks.build.target import DEFAULT_GLIBC, Target
from cogworks.engines.lease import note_use
from cogworks.errors import CogworksError
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.errors import quoted
from cogworks.oci.image import parse_config
from cogworks.oci.manifest import Manifest, parse_document
from cogworks.oci.platform import Platform
from cogworks.oci.reference import Reference, parse_reference
from cogworks.registry.pulled import PulledImage

if TYPE_CHECKING:
    from cogworks.registry.client import Client

OUR_FIXED_LAYERS = 2
"""The server and the SDK, beside what `make_layers` makes."""
OWN = "own"
"""Said instead of the path of a base's Python: the image brings one along."""
PYTHON_LABEL = "run.cog.python"
"""The label by which a base says where its Python is, if it is no official Python image."""
_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True)
class Base:
    """A base image.

    Attributes:
        interpreter: the absolute path of the model's Python.
        has_python: whether it is the base's; if not, a layer has to bring it.
    """

    image: PulledImage
    target: Target
    interpreter: str
    has_python: bool = True

    @property
    def reference(self) -> Reference:
        """Its name, pinned to the digest of its manifest."""
        return self.image.reference

    @property
    def digest(self) -> Digest:
        """The digest of its manifest, as the registry has it."""
        return digest_of(self.image.manifest_bytes)

    @property
    def layer_limit(self) -> int:
        """How many layers are left for a project."""
        brought = (not self.has_python) + (not self.target.runs_server)
        return LAYERS_MAX - len(self.image.manifest.layers) - OUR_FIXED_LAYERS - brought


def default_base(python_version: str) -> str:
    """Return the name of the base that a project gets which names none."""
    return f"python:{python_version}-slim"


def find_base(
    connect: Callable[[], Client],
    reference: Reference,
    platform: Platform,
    python: tuple[int, int],
    cache: Cache,
    interpreter: str | None = None,
) -> Base:
    """Return a base for a platform and a Python.

    Args:
        connect: returns the client of registries; not called for a base whose documents are here.
        python: what the project wants.
        interpreter: where the base has it; `own` to bring one along, as for a base that does not say.

    Raises:
        BaseError: the base has another Python, or no glibc.
        PlatformError: it is not for that platform.
        RegistryError: it cannot be fetched.
    """
    if interpreter is not None and interpreter != OWN:
        _check_path(interpreter, "--base-python")
    image = _pull(connect, reference, platform, cache)
    if is_alpine(image.config):
        raise BaseError(
            f"{reference} is an Alpine image: it has musl for a C library, and wheels are chosen for glibc. "
            "Use one that rests on Debian or Ubuntu, such as python:3.12-slim."
        )
    path = None if interpreter == OWN else _find_interpreter(image, python, interpreter)
    glibc = find_glibc(image.config, reference.tag or "") or DEFAULT_GLIBC
    target = Target(python, platform, glibc)
    return Base(image, target, path or interpreter_of(python), path is not None)


def _find_interpreter(image: PulledImage, python: tuple[int, int], given: str | None) -> str | None:
    """Return the path of the base's Python; None where nothing is known of one."""
    wanted = ".".join(map(str, python))
    named = given or image.config.run.labels.get(PYTHON_LABEL)
    if named is not None:
        _check_path(named, f"the label {PYTHON_LABEL} of {image.reference}")
    # A path that was named says more than the image does: python3.11 may be there beside another one.
    texts = ((named or "").rpartition("/")[2], image.config.run.env.get("PYTHON_VERSION", ""))
    said = next((match.group() for text in texts if (match := _VERSION.search(text))), None)
    if said not in (None, wanted):
        raise BaseError(
            f"{image.reference} has Python {said}, and the project wants {wanted}. "
            f"Set build.python_version to {said!r}, use another base image, or bring a Python along by "
            f"--base-python {OWN}."
        )
    if named is not None or said is None:
        return named
    # Where official Python images have it.
    return f"/usr/local/bin/python{wanted}"


def _check_path(text: str, where: str) -> None:
    """Refuse what the links of an environment would not lead to."""
    if not text.startswith("/") or text.endswith("/"):
        raise BaseError(
            f"{where}: {quoted(text)} is no absolute path of a Python, such as /usr/bin/python3.11."
        )


def _pull(
    connect: Callable[[], Client], reference: Reference, platform: Platform, cache: Cache
) -> PulledImage:
    if reference.digest is not None:
        known = _known(base_path(cache, reference.digest, platform))
        if known is not None:
            # The same base of another registry: its layers come from the one that is asked for now.
            return replace(known, reference=replace(reference, digest=known.reference.digest))
    # Loaded only where a registry has to be asked: it takes longer than a build that changes nothing.
    from cogworks.registry.pull import pull_image

    image = pull_image(connect(), reference, platform)
    own = digest_of(image.manifest_bytes)
    for digest in {own, reference.digest or own}:
        _remember(base_path(cache, digest, platform), image, cache)
    return image


def base_path(cache: Cache, digest: Digest, platform: Platform) -> Path:
    """Return where the two documents of a base are kept."""
    return cache.root / "bases" / f"{digest.hex}-{str(platform).replace('/', '-')}.json"


def _remember(path: Path, image: PulledImage, cache: Cache) -> None:
    content = {
        "reference": str(image.reference),
        # One character a byte: the bytes count, whatever they are.
        "manifest": image.manifest_bytes.decode("latin-1"),
        "config": image.config_bytes.decode("latin-1"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with cache.temporary() as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(path)


def _known(path: Path) -> PulledImage | None:
    """Return what was kept of a base; what does not fit together counts as missing."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, CogworksError):
        entry = cast("dict[str, str]", json.loads(path.read_text(encoding="utf-8")))
        manifest_bytes = entry["manifest"].encode("latin-1")
        config_bytes = entry["config"].encode("latin-1")
        reference = parse_reference(entry["reference"])
        manifest = parse_document(manifest_bytes)
        is_whole = (
            isinstance(manifest, Manifest)
            and reference.digest == digest_of(manifest_bytes)
            and manifest.config.digest == digest_of(config_bytes)
        )
        if is_whole and isinstance(manifest, Manifest):
            config = parse_config(config_bytes)
            note_use(path)
            return PulledImage(reference, manifest, manifest_bytes, config, config_bytes)
    return None
