"""What can be wrong with a value of an image: its name, its documents, its files."""

from __future__ import annotations

from collections.abc import Sequence

from cogworks.errors import CogworksError

QUOTED_CHARS = 80
"""How much of an offending text a message shows."""


class OciError(CogworksError):
    """Base of what is wrong with a value of this package."""


class DigestError(OciError):
    """A text is no digest that we can check."""


class InvalidReferenceError(OciError):
    """A text is no image reference."""

    def __init__(self, text: str, why: str, what: str = "an image name") -> None:
        self.text = text
        super().__init__(f"{quoted(text)} is not {what}: {why}.")


class PlatformError(OciError):
    """A platform cannot be read, or an image has none that fits."""


class DocumentError(OciError):
    """A manifest, index or configuration is not what it should be; all problems at once."""

    def __init__(self, what: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{what} is not valid: {'; '.join(problems)}.")


class TarError(OciError):
    """A member cannot be written into a reproducible archive."""


def quoted(text: str) -> str:
    """Return the text in quotes, cut, on one line."""
    return repr(text if len(text) <= QUOTED_CHARS else text[:QUOTED_CHARS] + "…")
