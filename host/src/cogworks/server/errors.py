"""What can go wrong in the server, for its callers to tell apart.

CogworksError
├── SetupFailedError     the model cannot be served; the reason and what it printed
├── NotReadyError        no worker is ready (yet)
├── AtCapacityError      every slot is taken, and nothing may wait
├── QueueFullError       every slot is taken, and as many wait as may
├── ConflictError        an id is known already, with another input
├── NotStreamingError    events were asked for where there are none
├── StoppingError        the server is shutting down
├── DiskFullError        there is no room for the files of a request
├── ClientLeftError      the client is gone before its request was whole
└── InvalidInputError    the input does not fit the schema; a list of problems
"""

from __future__ import annotations

from typing import Any

from cogworks.errors import CogworksError


class SetupFailedError(CogworksError):
    """The model could not be set up; ``logs`` is what it printed meanwhile."""

    def __init__(self, reason: str, logs: str) -> None:
        """Keep both."""
        super().__init__(f"Model setup failed: {reason}")
        self.reason = reason
        self.logs = logs


class NotReadyError(CogworksError):
    """No worker can take a prediction now; ``reason`` says what the server waits for."""

    def __init__(self, reason: str) -> None:
        """Make the sentence that clients get."""
        super().__init__(reason)


class AtCapacityError(CogworksError):
    """Every slot is taken."""

    def __init__(self) -> None:
        """Use the words that clients know."""
        super().__init__("At capacity - all prediction slots busy")


class QueueFullError(CogworksError):
    """Every slot is taken and the queue is full; ``size`` is how many may wait."""

    def __init__(self, size: int) -> None:
        """Say the limit."""
        super().__init__(f"At capacity - all prediction slots busy, and {size} predictions wait")
        self.size = size


class ConflictError(CogworksError):
    """The id names another prediction already: same id, different input, or nobody can tell."""

    def __init__(self, prediction_id: str, why: str = "with a different input") -> None:
        """Name it."""
        super().__init__(f"Prediction {prediction_id} exists already, {why}")


class NotStreamingError(CogworksError):
    """The client wants a stream of events, and the model's author has not opted in to that."""


class StoppingError(CogworksError):
    """The server is shutting down."""

    def __init__(self) -> None:
        """Make the sentence."""
        super().__init__("The server is shutting down")


class ClientLeftError(CogworksError):
    """The client has closed its connection before its request was whole."""

    def __init__(self) -> None:
        """Make the sentence."""
        super().__init__("The client has left")


class DiskFullError(CogworksError):
    """There is no room on the disk for what came with a request."""

    def __init__(self) -> None:
        """Make the sentence."""
        super().__init__("There is no room on the server's disk for the files")


class InvalidInputError(CogworksError):
    """The input does not fit the model's schema; ``detail`` lists ``{loc, msg, type}``."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        """Join the problems to one sentence for logs and terminals."""
        super().__init__("; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail))
        self.detail = detail
