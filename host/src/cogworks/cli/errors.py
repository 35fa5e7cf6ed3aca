"""What can go wrong in the command line itself.

CogworksError
├── InputError            the values given with -i or --json do not fit the model
├── OutputError           a result cannot be written where it should go
├── PredictionFailed      the model ran and did not succeed
├── PredictionRefused     the server of a model in a container did not take a prediction
├── ModelNotReady         a model in a container was not set up
├── NotAvailable          asked for something that this version cannot do
├── CheckFailed           `cog check` found errors, or `cog doctor` some that it did not fix
├── OptionError           an option's value, or what it names, is wrong
├── ProjectNotWritable    `cog init` cannot write a file
└── CommandNotFound       `cog exec` found nothing to run (126, 127 as a shell has it)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cogworks.errors import CogworksError

QUOTED_CHARACTERS = 80
"""How much of a user's text is repeated in a message (house-style 6)."""


def quote(text: str) -> str:
    """Return the text in quotes, on one line, cut to a readable length."""
    shown = text if len(text) <= QUOTED_CHARACTERS else text[: QUOTED_CHARACTERS - 1] + "…"
    return repr(shown)


class InputError(CogworksError):
    """Inputs that do not fit; ``problems`` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
        else:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            super().__init__(f"input validation failed:{lines}")


class OutputError(CogworksError):
    """A result cannot be written; the message names the path and the reason."""


class PredictionFailed(CogworksError):
    """The prediction ended, but not well."""

    def __init__(self, status: str, reason: Any) -> None:
        self.status = status
        detail = f": {reason}" if reason else ""
        super().__init__(f'Prediction failed with status "{status}"{detail}')


class PredictionRefused(CogworksError):
    """The server of a model in a container did not take a prediction, or broke it off."""


class NotAvailable(CogworksError):
    """This version cannot do what was asked; the message says what to do instead."""


class ModelNotReady(CogworksError):
    """A model in a container was not set up: it failed, or took too long."""


class CheckFailed(CogworksError):
    """A project has problems, which were printed; the message counts them."""


class OptionError(CogworksError):
    """An option's value is wrong in a way that is only seen after parsing."""


class ProjectNotWritable(CogworksError):
    """A file of a new project cannot be written."""


class CommandNotFound(CogworksError):
    """`cog exec` cannot run the command; the exit code is the one a shell would give."""

    def __init__(self, message: str, exit_code: int = 127) -> None:
        self.exit_code = exit_code
        super().__init__(message)
