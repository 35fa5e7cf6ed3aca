"""One file of the author's source, as text and as a syntax tree."""

from __future__ import annotations

import ast
import sys
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

from cogworks.schema.errors import SchemaError

MAX_SOURCE_BYTES = 10 * 1024 * 1024
"""No author writes such a file by hand; a syntax tree takes about a hundred times as much."""


@dataclass(frozen=True, eq=False)
class Source:
    """A parsed file; ``name`` is how messages call it, relative to the project."""

    path: Path
    name: str
    lines: tuple[str, ...]
    tree: ast.Module


@dataclass(frozen=True, eq=False)
class Place:
    """A node of a file's syntax tree, for messages to point at."""

    source: Source
    node: ast.AST

    def error(self, reason: str, advice: str = "") -> SchemaError:
        """Return the error that points here."""
        line = int(getattr(self.node, "lineno", 0))
        text = self.source.lines[line - 1] if 0 < line <= len(self.source.lines) else ""
        return SchemaError(
            reason,
            advice,
            file=self.source.name,
            line=line,
            source_line=text,
            span=self._span(line, text),
        )

    def describe(self) -> str:
        """Return ``run.py:7``."""
        return f"{self.source.name}:{getattr(self.node, 'lineno', 0)}"

    def _span(self, line: int, text: str) -> tuple[int, int]:
        start = _characters(text, int(getattr(self.node, "col_offset", 0)))
        if isinstance(self.node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # The name, not the whole body.
            found = text.find(self.node.name, start)
            return (found, len(self.node.name)) if found >= 0 else (start, 1)
        end = len(text.rstrip())
        if getattr(self.node, "end_lineno", None) == line:
            end = _characters(text, int(getattr(self.node, "end_col_offset", 0)))
        return start, max(1, end - start)


def text_of(node: ast.AST) -> str:
    """Return the source of an expression, cut at 80 characters."""
    text = ast.unparse(node)
    return text if len(text) <= 80 else text[:79] + "…"


def read_source(path: Path, name: str) -> Source:
    """Read and parse a file.

    Raises:
        SchemaError: it cannot be read, is no Python, or is too deeply nested.
    """
    text = _read_text(path, name)
    lines = tuple(text.splitlines())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ``"\\d"`` is the author's affair.
            tree = ast.parse(text, filename=name)
    except SyntaxError as error:
        raise _syntax_error(error, name, lines) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SchemaError(f"cannot be parsed: {error}", file=name) from error
    return Source(path, name, lines, tree)


def _read_text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_SOURCE_BYTES:
            raise SchemaError(f"is larger than {MAX_SOURCE_BYTES} bytes", file=name)
        with tokenize.open(path) as file:  # Knows the encoding line.
            return file.read()
    except FileNotFoundError as error:
        advice = "Check `run` and `train` in cog.yaml."
        raise SchemaError("no such file", advice, file=name) from error
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise SchemaError(f"cannot be read: {error}", file=name) from error


def _syntax_error(error: SyntaxError, name: str, lines: tuple[str, ...]) -> SchemaError:
    line = error.lineno or 0
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return SchemaError(
        f"syntax error: {error.msg}",
        f"The file is read with the grammar of Python {version}.",
        file=name,
        line=line,
        source_line=lines[line - 1] if 0 < line <= len(lines) else "",
        span=(max(0, (error.offset or 1) - 1), 1),
    )


def _characters(text: str, offset: int) -> int:
    """Syntax trees count bytes of UTF-8, people characters."""
    return len(text.encode()[:offset].decode(errors="replace"))
