"""Where the documentation of upstream Cog looks for the exception of a canceled prediction."""

from __future__ import annotations

from cog.errors import CancelationException

__all__ = ["CancelationException"]
