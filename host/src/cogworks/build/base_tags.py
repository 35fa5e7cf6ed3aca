"""Which digest a base's tag stood for when its registry was asked, so that a build need not ask again.

As with docker, a tag that was seen once stays what it was, until somebody asks for a newer one (`--pull`).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cogworks.build.cache import Cache
from cogworks.engines.lease import note_use
from cogworks.oci.digest import Digest, parse_digest
from cogworks.oci.errors import DigestError
from cogworks.oci.platform import Platform
from cogworks.oci.reference import Reference


@dataclass(frozen=True, slots=True)
class BaseTags:
    """Small files below `oci/bases/tags`, one for each name and platform."""

    cache: Cache

    def find(self, reference: Reference, platform: Platform) -> Digest | None:
        """Return the digest that a name stood for; None if it is not known."""
        with suppress(OSError, ValueError, KeyError, TypeError, DigestError):
            path = self.path(reference, platform)
            noted: object = json.loads(path.read_bytes())
            entry = cast("dict[str, str]", noted)
            # Two names whose files are one would be a mistake of ours: the name is compared.
            if entry["reference"] == str(reference):
                note_use(path)
                return parse_digest(entry["digest"])
        return None

    def remember(self, reference: Reference, platform: Platform, digest: Digest) -> None:
        """Note the digest of the manifest that a name stands for on a platform."""
        path = self.path(reference, platform)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"reference": str(reference), "digest": str(digest)}
        with self.cache.temporary() as temporary:
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
            temporary.replace(path)

    def path(self, reference: Reference, platform: Platform) -> Path:
        """Return where that is noted."""
        name = hashlib.sha256(f"{reference}\0{platform}".encode()).hexdigest()
        return self.cache.root / "bases" / "tags" / f"{name}.json"
