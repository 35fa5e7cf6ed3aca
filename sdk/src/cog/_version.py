"""The version of the SDK; the same number as ``VERSION`` at the top of the repository."""

__version__ = "0.1.0"
