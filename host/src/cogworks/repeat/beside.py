"""Something that is done beside what this thread does: mostly, to wait for a registry."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


class Beside:
    """Does something in a thread, from now on; its end need not be waited for: the thread ends with the process."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is done; what went wrong is raised here."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._do()
        except Exception as error:  # Whoever waits gets it.
            self._error = error
