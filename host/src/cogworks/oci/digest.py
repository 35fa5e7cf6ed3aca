"""Digests as a type that was checked: `sha256:` and 64 lower-case hexadecimal digits.

Source: OCI image-spec v1.1, "Digests". Registries may use other algorithms; none of the large ones does, and an
image with one is refused with a message that says so.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from cogworks.oci.errors import DigestError, quoted

_HEX = re.compile(r"[0-9a-f]{64}")
ALGORITHM = "sha256"


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The sha256 of some bytes; ``str(digest)`` is ``sha256:<hex>``."""

    hex: str

    def __post_init__(self) -> None:
        """Refuse what no sha256 can be."""
        if not _HEX.fullmatch(self.hex):
            raise DigestError(
                f"{quoted(self.hex)} is not a sha256 digest: 64 digits of 0-9 and a-f are expected."
            )

    def __str__(self) -> str:
        return f"{ALGORITHM}:{self.hex}"

    @property
    def short(self) -> str:
        """The first 12 digits, for people."""
        return self.hex[:12]


def parse_digest(text: str) -> Digest:
    """Return the digest that a text spells.

    Raises:
        DigestError: the text is none, or of another algorithm.
    """
    algorithm, colon, value = text.partition(":")
    if not colon:
        raise DigestError(f"{quoted(text)} is not a digest: sha256:<64 hex digits> is expected.")
    if algorithm != ALGORITHM:
        raise DigestError(f"{quoted(text)} is not a sha256 digest; no other kind is supported.")
    return Digest(value)


def digest_of(data: bytes) -> Digest:
    """Return the digest of bytes in memory."""
    return Digest(hashlib.sha256(data).hexdigest())
