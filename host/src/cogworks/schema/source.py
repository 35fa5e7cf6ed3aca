"""One file of the author's source, as text and as a syntax tree."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

from cogworks.schema.bindings import Augmented
from cogworks.schema.errors import SchemaError
from cogworks.schema.grammar import parse

MAX_SOURCE_BYTES = 10 * 1024 * 1024
"""No author writes such a file by hand; a syntax tree takes about a hundred times as much."""

_NOTEBOOK = re.compile(r"\s*(?:[\w, ]+=\s*)?(?:[!%]{1,2}\s?[\w./]|\?)|.*\w\?{1,2}\s*$")
"""A line that only a notebook understands: ``!pip install x``, ``%time``, ``files = !ls``."""


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
    text = ast.unparse(node.as_sum() if isinstance(node, Augmented) else node)
    return text if len(text) <= 80 else text[:79] + "…"


def read_source(path: Path, name: str) -> Source:
    """Read and parse a file.

    Raises:
        SchemaError: it cannot be read, is no Python, or is too deeply nested.
    """
    text = _decode(_read(path, name), name)
    # Only these end a line for the parser; a form feed, for example, does not.
    lines = tuple(text.split("\n"))
    try:
        tree = parse(text, name)
    except SyntaxError as error:
        raise _syntax_error(error, name, lines) from error
    except (RecursionError, MemoryError) as error:
        raise SchemaError("is nested too deeply to be read", file=name) from error
    except ValueError as error:
        raise SchemaError(f"cannot be parsed: {error}", file=name) from error
    return Source(path, name, lines, tree)


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_SOURCE_BYTES:
            raise SchemaError(f"is larger than {MAX_SOURCE_BYTES} bytes", file=name)
        return path.read_bytes()
    except FileNotFoundError as error:
        advice = "Check `run` and `train` in cog.yaml."
        raise SchemaError("no such file", advice, file=name) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name.
        raise SchemaError(f"cannot be read: {error}", file=name) from error


def _decode(data: bytes, name: str) -> str:
    """Return the text of a file, its encoding found as Python finds it (PEP 263), each line ended by one character."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Some codecs warn of what they decode.
            text = data.decode(encoding)
    except (SyntaxError, LookupError, ValueError) as error:
        raise _encoding_error(data, error, name) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise SchemaError("contains a null byte, which no Python source does", file=name, line=line)
    return text


def _encoding_error(data: bytes, error: Exception, name: str) -> SchemaError:
    advice = "Save it as UTF-8, or name its encoding in the first line: # coding: latin-1"
    if not isinstance(error, UnicodeDecodeError):
        line = _first_wrong_line(data) if isinstance(error, SyntaxError) else 0
        return SchemaError(f"cannot be read: {error}", advice, file=name, line=line)
    reason = f"is not {error.encoding}: byte 0x{error.object[error.start]:02x} cannot be decoded"
    line = data[: error.start].count(b"\n") + 1
    return SchemaError(reason, advice, file=name, line=line)


def _first_wrong_line(data: bytes) -> int:
    for number, line in enumerate(data.split(b"\n")[:2], 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 0


def _syntax_error(error: SyntaxError, name: str, lines: tuple[str, ...]) -> SchemaError:
    line = error.lineno or 0
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    reason = f"syntax error: {error.msg}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    advice = f"The file is read with the grammar of Python {version}."
    if _NOTEBOOK.match(text):
        reason = "syntax error: this is a notebook's command, no Python"
        advice = "Remove it. Packages are listed in cog.yaml, under build.python_packages."
    column = max(0, (error.offset or 1) - 1)
    return SchemaError(
        reason, advice, file=name, line=line, source_line=text, span=(min(column, len(text)), 1)
    )


def _characters(text: str, offset: int) -> int:
    """Syntax trees count bytes of UTF-8, people characters."""
    return len(text.encode(errors="replace")[:offset].decode(errors="replace"))
