"""The marker for types that nobody should look into."""

from __future__ import annotations


class Opaque:
    """``Annotated[T, Opaque]``: take ``T`` as any JSON object, whatever it is.

    For types of foreign libraries that cannot be described. ``list[...]`` and
    ``Optional[...]`` around it keep their meaning.
    """
