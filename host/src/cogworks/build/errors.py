"""What can go wrong between a project and its layers; every message says what to do.

BuildError
|- LockError              the requirements cannot be turned into a list of wheels
|  '- NoWheelError        a package has no wheel for the target
|- DownloadError          a wheel cannot be fetched, or is not what the lock says
|- WheelError             a wheel is damaged or unsafe
|- DockerignoreError      a line of .dockerignore is no pattern
|- ContextError           the project's files cannot be read, or change while they are read
|- LayerLimitError        more layers than an image may have
|- ImageNameError         an image has no name to be pushed to, or two that exclude each other
'- BaseError              a base image is none that packages can be chosen for
"""

from __future__ import annotations

from cogworks.errors import CogworksError


class BuildError(CogworksError):
    """Base of what stops a build."""


class LockError(BuildError):
    """The requirements cannot be turned into a list of wheels."""


class NoWheelError(LockError):
    """A package has no wheel that runs on the target."""

    def __init__(self, package: str, target: str, reason: str) -> None:
        self.package = package
        super().__init__(f"{package} has no wheel for {target}: {reason}")


class DownloadError(BuildError):
    """A wheel cannot be fetched, or is not what the lock says."""


class WheelError(BuildError):
    """A wheel is damaged or unsafe."""

    def __init__(self, wheel: str, problem: str) -> None:
        self.wheel = wheel
        super().__init__(f"{wheel}: {problem}. Nothing of it was installed.")


class DockerignoreError(BuildError):
    """A line of .dockerignore is no pattern."""


class ContextError(BuildError):
    """The project's files cannot be read, or change while they are read."""


class LayerLimitError(BuildError):
    """More layers than an image may have."""


class ImageNameError(BuildError):
    """An image has no name to be built or pushed under, or two that exclude each other."""


class BaseError(BuildError):
    """A base image is none that packages can be chosen for, or has another Python than the project wants."""
