"""A file that is there while predictions may come, for probes that look at files instead of asking.

Clusters that run Cog's images know it: where Kubernetes runs the container, the file tells that the
model is set up. Unlike upstream's, it goes away again when the model is not ready any more.
"""

from __future__ import annotations

import logging
from pathlib import Path

from cogworks.server.settings import Settings

logger = logging.getLogger(__name__)


def make_ready_file(settings: Settings) -> ReadyFile | NoReadyFile:
    """Return the file that the settings ask for: none outside of Kubernetes."""
    return ReadyFile(Path(settings.ready_file)) if settings.kubernetes_host else NoReadyFile()


class ReadyFile:
    """The file at ``path``; whatever goes wrong with it is only logged."""

    def __init__(self, path: Path) -> None:
        """Remove what an earlier server may have left."""
        self._path = path
        self.update(is_ready=False)

    def update(self, *, is_ready: bool) -> None:
        """Make or remove the file."""
        try:
            if is_ready:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the ready file cannot be kept: %s", error)


class NoReadyFile:
    """Stands for the file where nobody looks for one."""

    def update(self, *, is_ready: bool) -> None:
        """Do nothing."""
