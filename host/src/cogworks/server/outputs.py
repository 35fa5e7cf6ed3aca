"""Output files on their way to clients: into the output itself, or to where the operator wants them.

The worker has set each file aside for the server, which removes it. A prediction's files come one
after the other, in the order of its output; those of another prediction never wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cogworks import _version
from cogworks.errors import CogworksError
from cogworks.server.files import inline_files, remove_files, replace_tokens
from cogworks.server.run import Run

if TYPE_CHECKING:
    from cogworks.server.upload_sender import UploadSender

Files = dict[str, dict[str, Any]]
"""As in the bridge's messages: by token, ``{"path", "name", "remove"}``."""


class OutputFileError(CogworksError):
    """An output file cannot be delivered; the sentence is for the prediction's ``error``."""


class InterruptedOutputError(CogworksError):
    """The prediction was canceled while its files were on their way."""


class OutputFiles(Protocol):
    """Brings the files of an output to clients."""

    async def deliver(self, run: Run, value: Any, files: Files) -> Any:
        """Return ``value`` with URLs in the place of the tokens; the files are removed.

        Raises:
            OutputFileError: one cannot be delivered.
            InterruptedOutputError: see ``interrupt``.
        """

    def interrupt(self, run: Run) -> bool:
        """End the delivery that a run waits for; return False if it is too late for that."""
        ...

    async def close(self) -> None:
        """Let go of connections."""


class InlinedOutputs:
    """Makes data URLs. That is a matter of moments, so it is not interrupted."""

    async def deliver(self, run: Run, value: Any, files: Files) -> Any:
        """Encode the files in a thread, piece by piece."""
        try:
            return await asyncio.to_thread(inline_files, value, files)
        except (OSError, ValueError) as error:  # ValueError: no path at all.
            raise OutputFileError(f"an output file cannot be read: {error}") from error

    def interrupt(self, run: Run) -> bool:
        """Do nothing."""
        return False

    async def close(self) -> None:
        """Do nothing."""


class UploadedOutputs:
    """Sends files by ``PUT``. Loads an HTTP client when a first file is there."""

    def __init__(self, url: str, user_agent: str, on_failure: Callable[[], None]) -> None:
        """Send to below ``url``; tell ``on_failure`` of each file that cannot be sent."""
        self._url = url
        self._user_agent = user_agent
        self._on_failure = on_failure
        self._sender: UploadSender | None = None
        self._sending: dict[Run, asyncio.Task[dict[str, str]]] = {}

    async def deliver(self, run: Run, value: Any, files: Files) -> Any:
        """Send the files of one message, in their order."""
        task = asyncio.get_running_loop().create_task(self._send_all(run, files))
        self._sending[run] = task
        try:
            urls = await task
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise InterruptedOutputError("the upload was interrupted") from error
            task.cancel()
            raise
        except OutputFileError:
            self._on_failure()
            raise
        finally:
            del self._sending[run]
            await asyncio.to_thread(remove_files, files)
        return replace_tokens(value, urls)

    def interrupt(self, run: Run) -> bool:
        """End the upload of a run."""
        task = self._sending.get(run)
        return task is not None and task.cancel()

    async def close(self) -> None:
        """Close the connections."""
        if self._sender is not None:
            await self._sender.close()

    async def _send_all(self, run: Run, files: Files) -> dict[str, str]:
        if self._sender is None:
            from cogworks.server.upload_sender import UploadSender

            self._sender = UploadSender(self._url, self._user_agent)
        headers = {**run.trace, "X-Prediction-ID": run.id}
        urls: dict[str, str] = {}
        for token, file in files.items():
            name = _unique(file["name"], run.output_names)
            urls[token] = await self._sender.send(Path(file["path"]), name, headers)
            # Here already: the next ones may take long.
            await asyncio.to_thread(remove_files, {token: file})
        return urls


def open_outputs(url: str | None, on_failure: Callable[[], None]) -> OutputFiles:
    """Return what brings files to clients: to below ``url`` if there is one."""
    if url is None:
        return InlinedOutputs()
    return UploadedOutputs(url, f"cogworks/{_version.__version__}", on_failure)


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, with a number if the prediction has sent another file of that name."""
    path = Path(name)
    candidate, number = name, 1
    while candidate in taken:
        candidate = f"{path.stem}-{number}{path.suffix}"
        number += 1
    taken.add(candidate)
    return candidate
