"""What `check` and `doctor` find: one place, one sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(Enum):
    """Whether a finding keeps the project from working."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing to know about a project.

    ``file`` is relative to the project; ``line`` and ``column`` count from 1, 0 where they are not
    known. ``code`` says which check found it. ``excerpt`` is the line of source, with a caret.
    """

    message: str
    code: str
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    excerpt: str = ""

    @property
    def place(self) -> str:
        """Return ``run.py:7:12``, as far as it is known."""
        numbers = (number for number in (self.line, self.column) if number)
        return ":".join([self.file, *map(str, numbers)]) if self.file else ""

    def as_json(self) -> dict[str, Any]:
        """Return the fields that programs read."""
        values = asdict(self)
        del values["excerpt"]
        return {**values, "severity": self.severity.value}


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in the order of files and lines, each once."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda each: (each.file, each.line, each.column))


def count_findings(findings: Iterable[Finding]) -> str:
    """Return ``2 errors, 1 warning``; an empty text if there are none."""
    found = list(findings)
    counts = ((kind.value, sum(each.severity is kind for each in found)) for kind in Severity)
    parts = (f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts if count)
    return ", ".join(parts)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether something is worse than a warning."""
    return any(each.severity is Severity.ERROR for each in findings)
