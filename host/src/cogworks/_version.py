"""The version of the host; the same number as ``VERSION`` at the top of the repository."""

__version__ = "0.1.0"
