"""The annotations in the body of a class.

Since Python 3.14 they are computed when somebody asks for them, and are not in the class's dict any more. Source: PEP 649, PEP 749.
"""

from __future__ import annotations

import sys
from typing import Any


def own_annotations(cls: type) -> dict[str, Any]:
    """Return the annotations of a class itself, not those of its bases; what is not defined yet is a ``ForwardRef``."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF)
    # ``cls.__annotations__`` may be those of a base.
    return dict(vars(cls).get("__annotations__", {}))
