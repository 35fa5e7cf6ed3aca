"""What can be wrong with a signature, with the inputs of a prediction, and with its output.

ValueError
├── SignatureError      the author's code: a type or a rule that we cannot follow
├── InputError          a client's input values
└── OutputError         what the model returned
"""

from __future__ import annotations

from typing import Any


class SignatureError(ValueError):
    """The author's class or function cannot be read as a model.

    ``advice`` says what to write instead. ``where`` is whatever the front end uses to find
    the place (the static one: a node of the syntax tree), or None.
    """

    def __init__(self, message: str, advice: str = "", where: Any = None) -> None:
        """Say what is wrong in one sentence."""
        super().__init__(message)
        self.advice = advice
        self.where = where


class InputError(ValueError):
    """Input values that do not fit; ``problems`` holds all of them as (name, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        """Make one line of each problem."""
        super().__init__("\n".join(f'input "{name}": {message}' for name, message in problems))
        self.problems = problems


class OutputError(ValueError):
    """A value that JSON cannot hold; ``place`` says where in the output, ``output.items[3]``."""

    def __init__(self, place: str, reason: str) -> None:
        """Join the place and the reason."""
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
