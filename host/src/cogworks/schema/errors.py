"""What cannot be known of the author's code without running it, or cannot be a model."""

from __future__ import annotations

from cogworks.errors import CogworksError

MAX_EXCERPT = 100
"""Characters of a source line that a message shows."""


class SchemaError(CogworksError):
    """A place in the author's source, why it is a problem, and what to write instead.

    Shown as

        run.py:7: default `os.getpid()` cannot be statically resolved: ...
            def run(self, n: int = os.getpid()) -> str:
                                   ^^^^^^^^^^^
        Write a literal, or a constant of the module.

    ``line`` is 1-based, 0 if the file as a whole is meant; ``column`` and ``width`` are in
    characters of ``source_line``.
    """

    def __init__(
        self,
        reason: str,
        advice: str = "",
        *,
        file: str = "",
        line: int = 0,
        source_line: str = "",
        span: tuple[int, int] = (0, 0),
    ) -> None:
        """Compose the message; ``span`` is column and width."""
        self.reason = reason
        self.advice = advice
        self.file = file
        self.line = line
        self.source_line = source_line
        self.column, self.width = span
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        lines = [place + self.reason]
        if self.source_line.strip():
            lines += self._excerpt()
        return [*lines, self.advice] if self.advice else lines

    def _excerpt(self) -> list[str]:
        """Return the source line and the caret below it, of a long line only what is around it."""
        # Tabs become spaces, so that the caret stays below what it means.
        shown = "".join(char if char.isprintable() else " " for char in self.source_line)
        first = len(shown) - len(shown.lstrip())
        if self.column - first > MAX_EXCERPT // 2:
            first = max(first, min(self.column - 20, len(shown) - MAX_EXCERPT))
        text = shown[first:].rstrip()[:MAX_EXCERPT]
        start = max(0, self.column - first)
        width = min(max(1, self.width), max(1, len(text) - start))
        return ["    " + text, "    " + " " * start + "^" * width]
