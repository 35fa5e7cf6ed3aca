"""The key of a layer: what its bytes depend on, known before a byte of it is packed.

The codec is not part of it: an image's ID depends on `diff_id` only, and one key may have several packed variants.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from cogworks.build.packer import PACKER_VERSION


def layer_key(kind: str, *parts: str | Sequence[str]) -> str:
    """Return the key of a layer: 64 hexadecimal digits; the borders between parts count."""
    content = [
        kind,
        PACKER_VERSION,
        *(part if isinstance(part, str) else list(part) for part in parts),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
