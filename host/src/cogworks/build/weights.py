"""Which files of a project are weights: each gets a layer of its own, below the code, that an edit never touches; pure."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from cogworks.project.path_patterns import PathPatterns, parse_patterns

WEIGHTS_MIN_BYTES = 64 * 1024 * 1024
"""A file of this size is one of the weights, whatever it is called."""
SEPARATE_MIN_BYTES = 10 * 1024 * 1024
"""With `--separate-weights`, one of this size already, unless it is code or media. Source: the format."""
_CODE = (".ipynb", ".log", ".py", ".whl")
_IMAGES = (
    ".bmp",
    ".gif",
    ".heic",
    ".ico",
    ".jpeg",
    ".jpg",
    ".png",
    ".svg",
    ".tif",
    ".tiff",
    ".webp",
)
_SOUND = (".aac", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")
_VIDEO = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")
NO_WEIGHTS = frozenset((*_CODE, *_IMAGES, *_SOUND, *_VIDEO))
"""Extensions that `--separate-weights` passes by."""


@dataclass(frozen=True, slots=True)
class WeightRule:
    """Tells weights from everything else.

    Attributes:
        patterns: what counts whatever its size; `build.weights`.
        is_separate: whether `--separate-weights` was given.
    """

    patterns: PathPatterns = field(default_factory=PathPatterns)
    is_separate: bool = False

    def takes(self, path: str, size_bytes: int) -> bool:
        """Tell whether a file is one of the weights; ``path`` is relative to the project, with slashes."""
        if size_bytes >= WEIGHTS_MIN_BYTES or self.patterns.matches(path):
            return True
        if not self.is_separate or size_bytes < SEPARATE_MIN_BYTES:
            return False
        return posixpath.splitext(path)[1].lower() not in NO_WEIGHTS

    def idle_patterns(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Return the patterns that match none of a project's files: they may be misspelt."""
        wanted = (one for one in self.patterns.patterns if not one.is_exception)
        alone = ((one.text, PathPatterns((one,))) for one in wanted)
        return tuple(text for text, pattern in alone if not any(map(pattern.matches, paths)))


def weight_rule(patterns: Sequence[str] = (), *, is_separate: bool = False) -> WeightRule:
    """Return the rule of a build.

    Raises:
        PatternError: a pattern is none.
    """
    return WeightRule(parse_patterns(patterns), is_separate)
