"""What can go wrong between a project and its layers; every message says what to do.

BuildError
|- AbandonedError         a file that nobody wants any more was still being written
|- LockError              the requirements cannot be turned into a list of wheels
|  '- NoWheelError        a package has no wheel for the target
|- DownloadError          a wheel cannot be fetched, or is not what the lock says
|- WheelError             a wheel is damaged or unsafe
|- DockerignoreError      a line of .dockerignore is no pattern
|- ContextError           the project's files cannot be read, or change while they are read
|- LayerLimitError        more layers than an image may have
|- LayerMismatchError     a layer that was packed anew is another one than what is known by its key
|- InterpreterError       a Python that the image has to bring along cannot be had
|- ImageNameError         an image has no name to be pushed to, or two that exclude each other
|- BaseError              a base image is none that packages can be chosen for
|- SecretError            a build secret is spelled wrongly, or not there
'- StageError             a step that executes something inside the image cannot be done
   |- NoEngineError       no engine is there that could execute it
   '- CommandError        a command failed
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cogworks.errors import CogworksError


class BuildError(CogworksError):
    """Base of what stops a build."""


class AbandonedError(BuildError):
    """What was being written is not wanted any more: another step has failed, or the user has stopped the build."""


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


class LayerMismatchError(BuildError):
    """A layer that was packed anew is another one than what is known by its key."""

    def __init__(self, title: str, where: str, known: str, packed: str) -> None:
        self.title = title
        super().__init__(
            f"the layer {title} is not what {where} has: packed anew, its diff_id is sha256:{packed}, and there it is "
            f"sha256:{known}. Do not use the one that is there before you know why: its content was changed, or the "
            "packer is not the same."
        )


class ImageNameError(BuildError):
    """An image has no name to be built or pushed under, or two that exclude each other."""


class BaseError(BuildError):
    """A base image is none that packages can be chosen for, or has another Python than the project wants."""


class InterpreterError(BuildError):
    """A Python that the image has to bring along is not here and cannot be fetched."""

    def __init__(
        self, version: str, machine: str, why: str, reason: str, searched: Iterable[object]
    ) -> None:
        """Say what is needed and why, where it was looked for, and what to do.

        Args:
            why: what it is needed for, in a sentence without its end.
            reason: why uv could not fetch it.
        """
        self.version = version
        folders = " and ".join(dict.fromkeys(map(str, searched)))
        super().__init__(
            f"Python {version} for linux/{machine} is needed: {why}. It cannot be fetched: {reason}\n"
            f"It was looked for in {folders}.\n"
            "Let uv reach its downloads; or set UV_PYTHON_INSTALL_MIRROR to a mirror of them, or "
            "UV_PYTHON_DOWNLOADS_JSON_URL to a list of your own; or bring it here by "
            f"`uv python install cpython-{version}-linux-{machine}-gnu`; or use a base image that has a fitting "
            "Python, and name its path by --base-python if it does not say where."
        )


class SecretError(BuildError):
    """A build secret is spelled wrongly, or not there."""


class StageError(BuildError):
    """A step that executes something inside the image cannot be done."""


class NoEngineError(StageError):
    """No engine is there that could execute a step.

    Attributes:
        reasons: why each of them cannot be used.
    """

    def __init__(self, needed: Sequence[str], reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = [
            "Something has to be executed inside the image, and no engine for that can be used here.",
            *(f"  {one}" for one in needed),
            "What was looked for:",
            *(f"  {one}" for one in reasons),
            "Install buildah, or start docker or podman, and build again; or, as root on Linux, use --engine sandbox.",
        ]
        super().__init__("\n".join(lines))


class CommandError(StageError):
    """A command that ran inside the image failed; the end of its output is in the message.

    Attributes:
        code: its exit code, if the engine told it.
    """

    def __init__(
        self, where: str, command: str, code: int | None, output: Sequence[str], advice: str = ""
    ) -> None:
        self.code = code
        how = f"failed with exit code {code}" if code is not None else "failed"
        lines = [f"{where} {how}: {command}", *(f"  {line}" for line in output)]
        super().__init__("\n".join([*lines, advice] if advice else lines))
