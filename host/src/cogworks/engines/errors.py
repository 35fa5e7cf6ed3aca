"""Why an environment could not be made."""

from __future__ import annotations

from collections.abc import Sequence

from cogworks.errors import CogworksError


class EngineError(CogworksError):
    """The engine could not provide an environment."""


class PythonNotFoundError(EngineError):
    """The wanted Python is not on this machine and could not be fetched."""

    def __init__(self, version: str, searched: Sequence[str], found: Sequence[str], why: str):
        """Say what was wanted, what was looked for and found, and what to do.

        Args:
            found: versions that would work, newest first.
            why: what stopped the download.
        """
        self.version = version
        self.found = tuple(found)
        lines = [
            f"Python {version} was not found and could not be fetched: {why}",
            f"Looked for python{version} in {_listed(searched)}.",
        ]
        if found:
            lines.append(
                f"Found Python {', '.join(found)}. "
                f"Run with another one by `--python {_minor(found[0])}`, or install {version}."
            )
        else:
            lines.append(f"Install Python {version}, or allow uv to download it.")
        super().__init__("\n".join(lines))


class ResolutionError(EngineError):
    """The requirements do not fit together, or name something that does not exist."""


class IndexUnreachableError(ResolutionError):
    """Nothing is known of the requirements: the package index does not answer."""


class InstallError(EngineError):
    """Packages could not be downloaded, built or installed."""


class LiveSchemaError(EngineError):
    """The model's module could not be imported, or is no model; the reason first, then advice.

    ``printed`` is what the module wrote to its standard streams.
    """

    def __init__(self, reason: str, advice: str = "", *, printed: str = "") -> None:
        self.reason = reason
        self.advice = advice
        self.printed = printed
        super().__init__(f"{reason}\n{advice}" if advice else reason)


def _listed(searched: Sequence[str]) -> str:
    most = 8
    rest = f" and {len(searched) - most} more folders" if len(searched) > most else ""
    return (", ".join(searched[:most]) or "no folder, for PATH is empty") + rest


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
