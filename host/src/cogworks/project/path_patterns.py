"""The language of paths that `.dockerignore` and `build.weights` share, by Docker's rules, which are not those of `.gitignore`.

A pattern is anchored at the top of the project; `*` and `?` stop at slashes, `**` does not; what matches a folder matches
everything below it; a later pattern wins, and one with `!` takes back what an earlier one matched.
Source: Docker's documentation, "dockerignore files", and the behaviour of its builder.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

_ANY = "[^/]*"


class PatternError(ValueError):
    """A text is no pattern; the message says why, in lower case and without a full stop."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """One pattern: what it matches, and whether it takes back what was matched before."""

    text: str
    regex: re.Pattern[str]
    is_exception: bool


@dataclass(frozen=True, slots=True)
class PathPatterns:
    """Patterns in their order."""

    patterns: tuple[PathPattern, ...] = ()

    @property
    def has_exceptions(self) -> bool:
        """Whether something below a matched folder may not be matched."""
        return any(pattern.is_exception for pattern in self.patterns)

    def matches(self, path: str) -> bool:
        """Tell whether a path, relative to the project and with slashes, is matched."""
        lineage = _lineage(path)
        matched = False
        for pattern in self.patterns:
            # A pattern matters only if it changes the verdict.
            if pattern.is_exception == matched and any(map(pattern.regex.fullmatch, lineage)):
                matched = not pattern.is_exception
        return matched


def parse_patterns(texts: Iterable[str]) -> PathPatterns:
    """Return the patterns of some texts.

    Raises:
        PatternError: one is no pattern.
    """
    return PathPatterns(tuple(parse_pattern(text) for text in texts))


def parse_pattern(text: str) -> PathPattern:
    """Return one pattern; spaces around it do not count.

    Raises:
        PatternError: a bracket or a backslash is left open, or nothing is there.
    """
    stripped = text.strip()
    if not stripped:
        raise PatternError("a pattern must not be empty")
    is_exception = stripped.startswith("!")
    body = stripped[1:].strip() if is_exception else stripped
    if not body:
        raise PatternError('"!" needs a pattern behind it')
    clean = posixpath.normpath(body)
    clean = "/" if clean in ("/", "//") else clean.lstrip("/")
    try:
        regex = re.compile(_translate(clean), re.DOTALL)
    except re.error as error:
        raise PatternError(str(error)) from error
    return PathPattern(body, regex, is_exception)


def _lineage(path: str) -> list[str]:
    """Return a path and all folders above it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _translate(pattern: str) -> str:
    """Return the regular expression of a pattern.

    Raises:
        PatternError: a bracket or a backslash is left open.
    """
    found: list[str] = []
    at = 0
    while at < len(pattern):
        part, at = _translate_next(pattern, at)
        found.append(part)
    return "".join(found)


def _translate_next(pattern: str, at: int) -> tuple[str, int]:
    """Return the expression of what begins at an index, and the index behind it."""
    mark = pattern[at]
    if pattern.startswith("**", at):
        return _translate_double_star(pattern, at)
    if mark == "*":
        return _ANY, at + 1
    if mark == "?":
        return "[^/]", at + 1
    if mark == "[":
        return _translate_class(pattern, at)
    if mark == "\\":
        if at + 1 == len(pattern):
            raise PatternError("nothing follows the backslash")
        return re.escape(pattern[at + 1]), at + 2
    return re.escape(mark), at + 1


def _translate_double_star(pattern: str, at: int) -> tuple[str, int]:
    end = at + 2
    if pattern.startswith("/", end):
        end += 1
    if end == len(pattern):
        return ".*", end
    # `**` alone at the start takes any beginning; elsewhere, and before a slash, whole folders.
    is_suffix = at == 0 and pattern[at + 2] != "/" and not re.search(r"[*?\[\\]", pattern[end:])
    return (".*" if is_suffix else "(?:.*/)?"), end


def _translate_class(pattern: str, at: int) -> tuple[str, int]:
    """Translate `[a-z]`, `[^a]`; source: Go's path matching, whose `!` in a class is a plain character."""
    index = at + 1
    is_negated = pattern.startswith("^", index)
    index += is_negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", index)):
        low, index = _class_character(pattern, index)
        high = low
        if pattern.startswith("-", index):
            high, index = _class_character(pattern, index + 1)
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            raise PatternError(f"the range {low}-{high} is empty")
    # Docker's classes may hold a slash only where they say so themselves.
    return f"[{'^' if is_negated else ''}{''.join(ranges)}]", index + 1


def _class_character(pattern: str, index: int) -> tuple[str, int]:
    if index >= len(pattern):
        raise PatternError("a bracket is not closed")
    if pattern[index] in "-]":
        raise PatternError("a bracket has no content")
    if pattern[index] == "\\":
        index += 1
        if index >= len(pattern):
            raise PatternError("nothing follows the backslash")
    return pattern[index], index + 1
