"""`.dockerignore` by Docker's rules, which are not those of `.gitignore`.

A pattern is anchored at the top of the project; `*` and `?` stop at slashes, `**` does not; what matches a folder matches
everything below it; a later line wins, and a line with `!` takes back what an earlier one excluded.
Source: Docker's documentation, "dockerignore files", and the behaviour of its builder.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from cogworks.build.errors import DockerignoreError
from cogworks.oci.errors import quoted

LINES_MAX = 10_000
"""More lines than this are no list that a person wrote."""

_ANY = "[^/]*"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: what it matches, and whether it takes back what was excluded."""

    text: str
    regex: re.Pattern[str]
    is_exception: bool


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns of a file, in their order."""

    patterns: tuple[Pattern, ...] = ()

    @property
    def has_exceptions(self) -> bool:
        """Whether something below an excluded folder may be included."""
        return any(pattern.is_exception for pattern in self.patterns)

    def excludes(self, path: str) -> bool:
        """Tell whether a path, relative to the project and with slashes, is left out."""
        lineage = _lineage(path)
        excluded = False
        for pattern in self.patterns:
            # A line matters only if it changes the verdict.
            if pattern.is_exception == excluded and any(map(pattern.regex.fullmatch, lineage)):
                excluded = not pattern.is_exception
        return excluded


def parse_dockerignore(text: str) -> Dockerignore:
    """Return the patterns of a file's text.

    Raises:
        DockerignoreError: a line is no pattern; the message has its number.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > LINES_MAX:
        raise DockerignoreError(f".dockerignore has more than {LINES_MAX} lines.")
    found = (_parse_line(number, line) for number, line in enumerate(lines, 1))
    return Dockerignore(tuple(pattern for pattern in found if pattern is not None))


def _lineage(path: str) -> list[str]:
    """Return a path and all folders above it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _parse_line(number: int, line: str) -> Pattern | None:
    stripped = line.strip()
    # A comment starts in the first column, as for Docker.
    if not stripped or line.startswith("#"):
        return None
    is_exception = stripped.startswith("!")
    body = stripped[1:].strip() if is_exception else stripped
    if not body:
        raise DockerignoreError(f'.dockerignore:{number}: "!" needs a pattern behind it.')
    clean = posixpath.normpath(body)
    clean = "/" if clean in ("/", "//") else clean.lstrip("/")
    try:
        regex = re.compile(_translate(clean), re.DOTALL)
    except (ValueError, re.error) as error:
        raise DockerignoreError(
            f".dockerignore:{number}: {quoted(body)} is not a pattern: {error}."
        ) from error
    return Pattern(body, regex, is_exception)


def _translate(pattern: str) -> str:
    """Return the regular expression of a pattern.

    Raises:
        ValueError: a bracket or a backslash is left open.
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
            raise ValueError("nothing follows the backslash")
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
            raise ValueError(f"the range {low}-{high} is empty")
    # Docker's classes may hold a slash only where they say so themselves.
    return f"[{'^' if is_negated else ''}{''.join(ranges)}]", index + 1


def _class_character(pattern: str, index: int) -> tuple[str, int]:
    if index >= len(pattern):
        raise ValueError("a bracket is not closed")
    if pattern[index] in "-]":
        raise ValueError("a bracket has no content")
    if pattern[index] == "\\":
        index += 1
        if index >= len(pattern):
            raise ValueError("nothing follows the backslash")
    return pattern[index], index + 1
