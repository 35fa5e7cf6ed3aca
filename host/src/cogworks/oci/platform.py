"""Platforms: `linux/amd64`, `linux/arm64`, `linux/arm/v7`, and the choice of one from an index.

Names are normalised as Docker does: `aarch64` is arm64, `x86_64` is amd64, and arm64 is arm64/v8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cogworks.oci.errors import PlatformError, quoted

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_ARM = {"armhf": "v7", "armel": "v6", "armv7l": "v7", "armv6l": "v6"}
_VARIANT_BY_DEFAULT = {"arm64": "v8", "amd64": "v1", "arm": "v7"}
_COMPATIBLE = {
    "arm": ("v8", "v7", "v6", "v5"),
    "amd64": ("v4", "v3", "v2", "v1"),
    "arm64": ("v9", "v8"),
}
"""Variants of an architecture, newest first; a machine of one runs what is for it and for those after it."""
_PART = re.compile(r"[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on; ``variant`` is empty where it is the architecture's usual one."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def full_variant(self) -> str:
        """The variant, the usual one included; empty for architectures that have none."""
        return self.variant or _VARIANT_BY_DEFAULT.get(self.architecture, "")


class HasPlatform(Protocol):
    """An entry of an index."""

    @property
    def platform(self) -> Platform | None:
        """What it is for."""
        ...


P = TypeVar("P", bound=HasPlatform)


def parse_platform(text: str) -> Platform:
    """Return the platform that `os/architecture[/variant]` or an architecture alone (then linux) spells."""
    parts = text.lower().split("/")
    if len(parts) == 1:
        parts = ["linux", *parts]
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        raise PlatformError(
            f"{quoted(text)} is not a platform: OS/ARCHITECTURE is expected, such as linux/amd64."
        )
    return normalized(*parts)


def normalized(os: str, architecture: str, variant: str = "") -> Platform:
    """Return a platform by the names that registries use."""
    if architecture in _ARM:
        architecture, variant = "arm", variant or _ARM[architecture]
    architecture = _ARCHITECTURES.get(architecture, architecture)
    is_usual = variant == _VARIANT_BY_DEFAULT.get(architecture)
    return Platform(os, architecture, "" if is_usual else variant)


def choose(entries: Sequence[P], wanted: Platform, image: str = "the image") -> P:
    """Return the entry of an index that fits a platform best.

    Raises:
        PlatformError: none does; the message lists what there is.
    """
    ranked = [(rank, entry) for entry in entries if (rank := _rank(entry.platform, wanted)) >= 0]
    if not ranked:
        # Attestations are listed as unknown/unknown: nobody can choose them.
        there = [str(entry.platform) for entry in entries if _is_real(entry.platform)]
        raise PlatformError(
            f"{image} is not available for {wanted}. "
            f"It is for: {', '.join(dict.fromkeys(there)) or 'no platform at all'}."
        )
    # The first of equals, as registries' clients do.
    return min(ranked, key=lambda pair: pair[0])[1]


def _is_real(platform: Platform | None) -> bool:
    return platform is not None and platform.os != "unknown"


def _rank(found: Platform | None, wanted: Platform) -> int:
    """Return how far an entry is from what is wanted; -1 if it does not run there."""
    if found is None or (found.os, found.architecture) != (wanted.os, wanted.architecture):
        return -1
    if found.full_variant == wanted.full_variant:
        return 0
    variants = _COMPATIBLE.get(wanted.architecture, ())
    if wanted.full_variant not in variants or found.full_variant not in variants:
        return -1
    return variants.index(found.full_variant) - variants.index(wanted.full_variant)
