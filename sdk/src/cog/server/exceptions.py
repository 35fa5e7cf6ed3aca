"""Where older releases of upstream had the exception of a canceled prediction."""

from cog.errors import CancelationException

__all__ = ["CancelationException"]
