"""The kinds of rules for single values: each says what is wrong with a text, and what JSON Schema can say of it.

A rule is data where that is possible, so that the table that checks `cog.yaml` also makes its documentation and the
schema for editors. The schema never refuses what the rule allows; where it is the weaker one, the command has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Rule(Protocol):
    """Tells what is wrong with the text of a value."""

    @property
    def summary(self) -> str:
        """What a value must be, for documentation: `must be at least 1`."""
        ...

    def complaint(self, text: str) -> str | None:
        """Return why ``text`` is not allowed, or None when it is."""
        ...

    def schema(self) -> dict[str, Any]:
        """Return keywords of JSON Schema, draft 7, in the regular expressions of ECMA-262."""
        ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole text must match ``regex``, which has to mean the same to Python and to ECMA-262.

    ``at_least`` is as for ``Check``.
    """

    regex: str
    message: str
    at_least: float | None = None

    @property
    def summary(self) -> str:
        """The message."""
        return self.message

    def complaint(self, text: str) -> str | None:
        """Return the message when the text does not match."""
        return None if re.fullmatch(self.regex, text) else self.message

    def schema(self) -> dict[str, Any]:
        """Return the expression, and the message for editors that show one."""
        return _pattern(self.regex, self.message, self.at_least)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A whole number not below ``minimum``."""

    minimum: int

    @property
    def summary(self) -> str:
        """The message."""
        return f"must be at least {self.minimum}"

    def complaint(self, text: str) -> str | None:
        """Return the message when the number is smaller."""
        return None if int(text) >= self.minimum else self.summary

    def schema(self) -> dict[str, Any]:
        """Return the minimum."""
        return {"minimum": self.minimum}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The message."""
        return f"must be {' or '.join(self.words)}"

    def complaint(self, text: str) -> str | None:
        """Return the message when the text is another word."""
        return None if text in self.words else self.summary

    def schema(self) -> dict[str, Any]:
        """Return the words."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that takes a few lines; ``function`` returns the complaint.

    ``regex`` is what editors get: it matches whatever the function allows, and little else. A value that stands in the
    file as a bare number has lost its last zeros when an editor sees it, so of that only ``at_least`` is asked.
    """

    function: Callable[[str], str | None]
    regex: str
    summary: str
    at_least: float | None = None

    def complaint(self, text: str) -> str | None:
        """Return what the function says."""
        return self.function(text)

    def schema(self) -> dict[str, Any]:
        """Return the expression and the minimum."""
        return _pattern(self.regex, self.summary, self.at_least)


def _pattern(regex: str, message: str, at_least: float | None) -> dict[str, Any]:
    minimum = {} if at_least is None else {"minimum": at_least}
    # The second keyword is one of VS Code's; validators do not know it.
    return {"pattern": f"^(?:{regex})$", "patternErrorMessage": message, **minimum}
