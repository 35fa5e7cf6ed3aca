"""Values of `ENV` and `LABEL` in a Dockerfile: quoted so that they arrive as they are, on lines of a readable length; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cogworks.build.errors import BuildError

LINE_CHARS = 110
"""Where a long value goes on in the next line; docker reads at most 65535 characters of one."""

_MARKED = re.compile(r'[\\"$]')
"""What means something within double quotes."""
_SEAM = re.compile(r"(?<=[^\s\\])(?=[^\s\\#])")
"""Where docker joins two lines as they were: next to no space, no backslash, and no `#` that would start a comment."""


def value_lines(instruction: str, name: str, value: str, what: str) -> Iterator[str]:
    """Yield `ENV NAME="value"`, on as many lines as it takes.

    Args:
        what: what an error calls the value.

    Raises:
        BuildError: the value has a line break, for which there is no notation.
    """
    if re.search(r"[\r\n\0]", value):
        raise BuildError(f"{what} has a line break, which a Dockerfile cannot say.")
    lines = list(_wrapped(f"{instruction} {name}={_quoted(value)}"))
    yield from (f"{line}\\" for line in lines[:-1])
    yield lines[-1]


def _quoted(value: str) -> str:
    # Within single quotes everything is what it is, but for what would end or escape them.
    if not re.search(r"['\\]", value):
        return f"'{value}'"
    return '"' + _MARKED.sub(r"\\\g<0>", value) + '"'


def _wrapped(text: str) -> Iterator[str]:
    start = 0
    for match in _SEAM.finditer(text):
        if match.start() - start >= LINE_CHARS:
            yield text[start : match.start()]
            start = match.start()
    yield text[start:]
