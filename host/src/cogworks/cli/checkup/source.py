"""A file of the author's Python that is changed at places of its syntax tree, and nowhere else."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.project.files import MAX_FILE_BYTES


class NotEditable(Exception):
    """The text is written in a way that is not changed automatically; the message says which."""


@dataclass(eq=False)
class SourceText:
    """A parsed file: its bytes, its tree, and the edits that were asked for."""

    path: Path
    name: str
    data: bytes
    tree: ast.Module
    _edits: list[tuple[int, int, bytes]] = field(default_factory=list[tuple[int, int, bytes]])

    def __post_init__(self) -> None:
        """Count where lines start; syntax trees count in bytes of UTF-8, as we do."""
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    @classmethod
    def read(cls, path: Path, directory: Path, word: bytes = b"") -> SourceText | None:
        """Return the file, or None if it is not there, is no Python in UTF-8, or lacks the word."""
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                return None
            data = path.read_bytes()
            if word not in data:
                return None
            data.decode("utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(data)
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            return None
        if data.startswith(b"\xef\xbb\xbf"):
            return None  # The places of the first line would be wrong.
        return cls(path, path.relative_to(directory).as_posix(), data, tree)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node starts and ends in the bytes."""
        line, end_line = _number(node, "lineno"), _number(node, "end_lineno")
        start = self._starts[line - 1] + _number(node, "col_offset")
        return start, self._starts[end_line - 1] + _number(node, "end_col_offset")

    def rename(self, node: ast.AST, old: str, new: str, *, last: bool = False) -> None:
        """Replace the name in a node: the first that is written there, or the last."""
        start, end = self.span(node)
        text = self.data[start:end]
        found = text.rfind(old.encode()) if last else text.find(old.encode())
        if found >= 0:
            edit = (start + found, start + found + len(old.encode()), new.encode())
            if edit not in self._edits:
                self._edits.append(edit)

    def replace(self, node: ast.AST, text: str) -> None:
        """Write something else in place of a node."""
        self._edits.append((*self.span(node), text.encode()))

    def insert_before(self, statement: ast.stmt, line: str) -> None:
        """Write a line above a statement of the module."""
        start = self.span(statement)[0]
        self._edits.append((start, start, line.encode() + self._newline()))

    def insert_after(self, node: ast.AST, text: str) -> None:
        """Write something right behind a node."""
        end = self.span(node)[1]
        self._edits.append((end, end, text.encode()))

    def remove(self, statements: Collection[ast.stmt]) -> None:
        """Take whole statements away; a block that would be empty gets a ``pass``.

        Raises:
            NotEditable: one shares its line with others, or an ``else`` would be empty.
        """
        for block, is_main in _blocks(self.tree):
            gone = [statement for statement in block if statement in statements]
            for statement in gone:
                start, end = self._whole_lines(statement)
                is_kept = len(gone) == len(block) and statement is gone[0]
                if is_kept and not is_main:
                    raise NotEditable(f"line {statement.lineno} is all that is in its block")
                if is_kept and block is not self.tree.body:
                    self.replace(statement, "pass")
                else:
                    self._edits.append((start, end, b""))

    def remove_names(self, statement: ast.Import | ast.ImportFrom, names: Collection[str]) -> None:
        """Take names out of an import; the statement goes with its last name."""
        kept = [alias for alias in statement.names if (alias.asname or alias.name) not in names]
        if not kept:
            self.remove([statement])
            return
        start, end = self.span(statement)
        if b"#" in self.data[start:end]:
            raise NotEditable(f"the import in line {statement.lineno} has comments in it")
        rest: ast.Import | ast.ImportFrom
        if isinstance(statement, ast.ImportFrom):
            rest = ast.ImportFrom(statement.module, kept, statement.level)
        else:
            rest = ast.Import(kept)
        self.replace(statement, ast.unparse(rest))

    def result(self) -> bytes:
        """Return the text with all edits.

        Raises:
            NotEditable: it would not be Python any more.
        """
        data = self.data
        last = len(data)
        for start, end, new in sorted(self._edits, reverse=True):
            if end > last:
                raise NotEditable("two changes meet in the same place")
            data = data[:start] + new + data[end:]
            last = start
        try:
            ast.parse(data)
        except SyntaxError as error:
            raise NotEditable(f"the changed file would not be Python: {error.msg}") from error
        return data

    def _whole_lines(self, statement: ast.stmt) -> tuple[int, int]:
        assert statement.end_lineno is not None
        first = min([statement.lineno, *_decorator_lines(statement)])
        start, end = self._starts[first - 1], self._starts[statement.end_lineno]
        before = self.data[start : self.span(statement)[0]] if first == statement.lineno else b""
        after = self.data[self.span(statement)[1] : end].strip()
        if before.strip() or (after and not after.startswith(b"#")):
            raise NotEditable(f"line {statement.lineno} holds more than one statement")
        return start, end

    def _newline(self) -> bytes:
        return b"\r\n" if b"\r\n" in self.data else b"\n"


def used_names(tree: ast.AST) -> Iterator[ast.Name]:
    """Yield every place where a name stands by itself."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


def imports_from(tree: ast.AST, module: str) -> Iterator[ast.ImportFrom]:
    """Yield the ``from module import ...`` statements, wherever they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == module and not node.level:
            yield node


def _blocks(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Yield every list of statements, and whether it is the main one of its statement."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block, name == "body"


def _decorator_lines(statement: ast.stmt) -> list[int]:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return [decorator.lineno for decorator in decorators]


def _number(node: ast.AST, name: str) -> int:
    return int(getattr(node, name))
