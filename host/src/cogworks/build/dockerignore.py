"""The text of a `.dockerignore`; the language of its patterns is ``cogworks.project.path_patterns``."""

from __future__ import annotations

from dataclasses import dataclass, field

from cogworks.build.errors import DockerignoreError
from cogworks.oci.errors import quoted
from cogworks.project.path_patterns import PathPattern, PathPatterns, PatternError, parse_pattern

LINES_MAX = 10_000
"""More lines than this are no list that a person wrote."""


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """What a file leaves out."""

    patterns: PathPatterns = field(default_factory=PathPatterns)

    @property
    def has_exceptions(self) -> bool:
        """Whether something below an excluded folder may be included."""
        return self.patterns.has_exceptions

    def excludes(self, path: str) -> bool:
        """Tell whether a path, relative to the project and with slashes, is left out."""
        return self.patterns.matches(path)


def parse_dockerignore(text: str) -> Dockerignore:
    """Return the patterns of a file's text.

    Raises:
        DockerignoreError: a line is no pattern; the message has its number.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > LINES_MAX:
        raise DockerignoreError(f".dockerignore has more than {LINES_MAX} lines.")
    found = (_parse_line(number, line) for number, line in enumerate(lines, 1))
    return Dockerignore(PathPatterns(tuple(pattern for pattern in found if pattern is not None)))


def _parse_line(number: int, line: str) -> PathPattern | None:
    # A comment starts in the first column, as for Docker.
    if not line.strip() or line.startswith("#"):
        return None
    try:
        return parse_pattern(line)
    except PatternError as error:
        shown = quoted(line.strip())
        raise DockerignoreError(
            f".dockerignore:{number}: {shown} is not a pattern: {error}."
        ) from error
