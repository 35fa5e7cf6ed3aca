"""Parse source text, also with syntax that is newer than the Python that runs here.

A model may run under a newer Python than the command. What PEP 695 added (``type X = ...``,
``class Box[T]``, ``def run[T]``) can be written in older grammar without moving anything else:
the parameters become blanks, and an alias becomes an assignment. What the blanks were is kept
beside the nodes; see ``type_parameters``. So does all but the first of ``except A, B:`` (PEP 758). What PEP 701 added is
said in other words; see ``f_strings``.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator

from cogworks.schema.f_strings import with_older_f_strings
from cogworks.schema.type_parameters import Header, TypeParameter, attach, read_parameters

Parameters = dict[Header, tuple[TypeParameter, ...]]

_NEWER = re.compile(
    r"^[^#\n]*?\b(?:type\s+\w+\s*[=\[]|(?:class|def)\s+\w+\s*\[|except\b[^:\n]*,)", re.MULTILINE
)

_Position = tuple[int, int]


def parse(text: str, name: str) -> ast.Module:
    """Return the syntax tree of a file's text.

    Raises:
        SyntaxError: it is no Python.
        ValueError, RecursionError, MemoryError: the parser cannot take it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ``"\\d"`` is the author's affair.
        try:
            return ast.parse(text, filename=name)
        except SyntaxError:
            newer = text if sys.version_info >= (3, 12) else with_older_f_strings(text)
            if newer == text and (sys.version_info >= (3, 14) or not _NEWER.search(text)):
                raise
            return _parse_newer(newer, name)


def _parse_newer(text: str, name: str) -> ast.Module:
    """Return the syntax tree of a text that may have what is blanked."""
    older = find_older_text(text) if _NEWER.search(text) else None
    if older is None:
        return ast.parse(text, filename=name)
    tree = ast.parse(older[0], filename=name)
    attach(tree, older[1])
    return tree


def find_older_text(text: str) -> tuple[str, Parameters] | None:
    """Return the text without what PEP 695 and 758 added, each line as it was, and the type parameters.

    None if the text has no tokens.
    """
    try:
        tokens = _significant(list(tokenize.generate_tokens(io.StringIO(text).readline)))
    except (SyntaxError, tokenize.TokenError):
        return None
    lines = text.split("\n")
    for start, end, replacement in _edits(tokens):
        _blank(lines, start, end, replacement)
    return "\n".join(lines), dict(_find_parameters(tokens))


def _find_parameters(
    tokens: list[tokenize.TokenInfo],
) -> Iterator[tuple[Header, tuple[TypeParameter, ...]]]:
    for index in range(len(tokens) - 2):
        first, second, third = tokens[index : index + 3]
        if second.type != tokenize.NAME or third.string != "[":
            continue
        is_alias = first.string == "type" and _starts_statement(tokens, index)
        if first.string in ("class", "def") or is_alias:
            last = _closing(tokens, index + 2)
            yield (first.start[0], second.string), read_parameters(tokens[index + 3 : last])


def _significant(tokens: list[tokenize.TokenInfo]) -> list[tokenize.TokenInfo]:
    skipped = (tokenize.COMMENT, tokenize.NL)
    return [token for token in tokens if token.type not in skipped]


def _edits(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[_Position, _Position, str]]:
    """Yield what to replace, and by what; the rest of the span becomes blanks."""
    for index in range(len(tokens) - 2):
        first, second, third = tokens[index : index + 3]
        if first.string == "except" and _starts_statement(tokens, index):
            yield from _more_exceptions(tokens, index + 1)
        if second.type != tokenize.NAME or third.string not in ("[", "="):
            continue
        if first.string in ("class", "def") and third.string == "[":
            yield third.start, tokens[_closing(tokens, index + 2)].end, ""
        elif first.string == "type" and _starts_statement(tokens, index):
            yield first.start, second.end, second.string
            if third.string == "[":
                yield third.start, tokens[_closing(tokens, index + 2)].end, ""


def _more_exceptions(
    tokens: list[tokenize.TokenInfo], index: int
) -> Iterator[tuple[_Position, _Position, str]]:
    """Yield the part of ``except A, B:`` from its first comma on."""
    comma, depth = None, 0
    for token in tokens[index:]:
        depth += (token.string in ("[", "(", "{")) - (token.string in ("]", ")", "}"))
        if depth == 0 and token.string == ",":
            comma = comma or token
        if depth == 0 and token.string in (":", "as"):
            if comma is not None and token.string == ":":
                yield comma.start, token.start, ""
            return


def _starts_statement(tokens: list[tokenize.TokenInfo], index: int) -> bool:
    if index == 0:
        return True
    before = tokens[index - 1]
    ends = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return before.type in ends or before.string in (";", ":")


def _closing(tokens: list[tokenize.TokenInfo], index: int) -> int:
    """Return the index of the bracket that closes the one at ``index``."""
    depth = 0
    for at in range(index, len(tokens)):
        text = tokens[at].string
        depth += (text in ("[", "(", "{")) - (text in ("]", ")", "}"))
        if depth == 0:
            return at
    return index


def _blank(lines: list[str], start: _Position, end: _Position, replacement: str) -> None:
    for row in range(start[0], end[0] + 1):
        line = lines[row - 1]
        left = start[1] if row == start[0] else 0
        right = end[1] if row == end[0] else len(line)
        blanks = " " * (right - left - len(replacement))
        # Outside of brackets a line only goes on after a backslash.
        joint = "\\" if row < end[0] else ""
        lines[row - 1] = line[:left] + replacement + blanks + joint + line[right:]
        replacement = ""
