"""F-strings as Python 3.12 reads them (PEP 701), in words that 3.11 knows, too.

What is between their braces may now have any quotes, line breaks, backslashes and comments. Such an f-string gets other
quotes around it; where that is not enough, a name that stands for nothing takes its place, since it may decide on
nothing in a signature. Lines stay what they are.
"""

from __future__ import annotations

import re

UNREADABLE = "syntax_of_python_3_12"
"""What stands for an f-string that cannot be said in older words; nobody has a value for it."""

_PREFIXES = frozenset({"r", "u", "b", "f", "br", "rb", "fr", "rf"})
_WORD = re.compile(r"\w+")
_QUOTES = ("'", '"')
_TRIPLE = ("'''", '"""')


class _LostError(Exception):
    """The text cannot be followed: it is no Python."""


def with_older_f_strings(text: str) -> str:
    """Return a module's text with its newer f-strings in older words; the same text if there are none, or if it is no Python."""
    try:
        return _Reader(text).module()
    except (_LostError, IndexError, RecursionError):
        return text


class _Reader:
    """Each method reads something from a position on, and returns it in older words with the position behind it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._expressions: list[str] = []
        """Those of the f-string that is being read: what the older grammar restricts."""

    def module(self) -> str:
        return self._code(0, is_field=False)[0]

    def _code(self, at: int, *, is_field: bool) -> tuple[str, int]:
        """Read code; that of a field up to what ends its expression."""
        text, found, depth = self._text, list[str](), 0
        while at < len(text):
            here = text[at]
            if word := _WORD.match(text, at):
                end = word.end()
                if text[end : end + 1] in _QUOTES and word[0].lower() in _PREFIXES:
                    piece, at = self._string(end, word[0])
                else:
                    piece, at = word[0], end
            elif here in _QUOTES:
                piece, at = self._string(at, "")
            elif here == "#":
                end = text.find("\n", at)
                piece, at = text[at : end if end >= 0 else None], end if end >= 0 else len(text)
            elif is_field and depth == 0 and self._ends_expression(at):
                return "".join(found), at
            else:
                depth += (here in "([{") - (here in ")]}")
                piece, at = here, at + 1
            found.append(piece)
        if is_field:
            raise _LostError
        return "".join(found), at

    def _ends_expression(self, at: int) -> bool:
        here = self._text[at]
        return here in "}:" or (here == "!" and self._text[at + 1] != "=")

    def _string(self, at: int, prefix: str) -> tuple[str, int]:
        quote = self._text[at]
        delimiter = quote * 3 if self._text.startswith(quote * 3, at) else quote
        if "f" in prefix.lower():
            return self._f_string(at + len(delimiter), delimiter, prefix)
        end = at + len(delimiter)
        while not self._text.startswith(delimiter, end):
            self._check_line(end, delimiter)
            end += 2 if self._text[end] == "\\" else 1
        end += len(delimiter)
        return prefix + self._text[at:end], end

    def _f_string(self, at: int, delimiter: str, prefix: str) -> tuple[str, int]:
        text, start, parts = self._text, at, list[str]()
        around, self._expressions = self._expressions, []
        while not text.startswith(delimiter, at):
            if text.startswith(("{{", "}}"), at):
                piece, at = text[at : at + 2], at + 2
            elif text[at] == "{":
                piece, at = self._field(at)
            else:
                self._check_line(at, delimiter)
                end = self._literal_end(at, is_raw="r" in prefix.lower())
                piece, at = text[at:end], end
            parts.append(piece)
        end = at + len(delimiter)
        expressions, self._expressions = "".join(self._expressions), around
        lines = text.count("\n", start, end)
        return _spelled(prefix, delimiter, "".join(parts), expressions, lines), end

    def _literal_end(self, at: int, *, is_raw: bool) -> int:
        """Return where a character outside of fields ends, or an escape."""
        if self._text[at] != "\\" or self._text[at + 1] in "{}":
            return at + 1
        if not is_raw and self._text.startswith("\\N{", at):
            return self._text.index("}", at) + 1
        return at + 2

    def _field(self, at: int) -> tuple[str, int]:
        """Read `{expression!r:specification}`."""
        code, at = self._code(at + 1, is_field=True)
        self._expressions.append(code)
        parts = ["{", code]
        if self._text[at] == "!":
            parts.append(self._text[at : at + 2])
            at += 2
        if self._text[at] == ":":
            while self._text[at] != "}":
                if self._text[at] == "{":
                    piece, at = self._field(at)
                else:
                    piece, at = self._text[at], at + 1
                parts.append(piece)
        if self._text[at] != "}":
            raise _LostError
        return "".join((*parts, "}")), at + 1

    def _check_line(self, at: int, delimiter: str) -> None:
        if len(delimiter) == 1 and self._text[at] == "\n":
            raise _LostError


def _spelled(prefix: str, delimiter: str, body: str, expressions: str, lines: int) -> str:
    """Return an f-string in older words."""
    is_plain = "\\" not in expressions and "#" not in expressions
    is_one_line = "\n" not in expressions
    if is_plain and delimiter not in expressions and (len(delimiter) == 3 or is_one_line):
        return f"{prefix}{delimiter}{body}{delimiter}"
    for triple in _TRIPLE:
        if is_plain and triple not in body and not body.endswith(triple[0]):
            return f"{prefix}{triple}{body}{triple}"
    filling = "\n" * lines
    return f"f'''{{{UNREADABLE}}}{filling}'''"
