"""Build secrets: what `--secret` says, read into values, and their values, which are shown nowhere."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.errors import SecretError
from cogworks.build.stages.stage import PlacedCommand

SECRET_MAX_BYTES = 512 * 1024
"""More than this is no secret; source: BuildKit takes no larger one (500 KiB)."""
MASK = "***"
_MASKED_MIN_CHARS = 4
"""Shorter pieces are hidden nowhere: they would be found in every other word."""
_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_KEYS = {"id": "id", "src": "src", "source": "src", "env": "env", "type": "type"}
_EXAMPLE = "Write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE."


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is: in a file, at an absolute path, or in an environment variable."""

    id: str
    path: Path | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with its value; the engine reads it from its source once more, so that no copy of it is made."""

    source: SecretSource
    value: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What mounts call it."""
        return self.source.id


def parse_secrets(texts: Iterable[str], directory: Path) -> tuple[SecretSource, ...]:
    """Return what `--secret` options say.

    Args:
        directory: what relative paths are relative to: that of the project.

    Raises:
        SecretError: a text is none that can be understood, or an id is there twice.
    """
    found: dict[str, SecretSource] = {}
    for text in texts:
        source = _parse(text, directory)
        if source.id in found:
            raise SecretError(f"--secret: there are two secrets with the id {source.id!r}.")
        found[source.id] = source
    return tuple(found.values())


def _parse(text: str, directory: Path) -> SecretSource:
    values: dict[str, str] = {}
    rows = list(csv.reader([text])) or [[]]
    for entry in rows[0]:
        name, equals, value = entry.partition("=")
        key = _KEYS.get(name.strip().lower())
        # The text may hold a secret by mistake, so little of it is shown.
        if key is None or not equals:
            raise SecretError(f"--secret: {name.strip()[:20]!r} is no key of a secret. {_EXAMPLE}")
        if key in values:
            raise SecretError(f"--secret: {name.strip()} is there twice. {_EXAMPLE}")
        values[key] = value
    return _source(values, directory)


def _source(values: Mapping[str, str], directory: Path) -> SecretSource:
    name, kind = values.get("id", ""), values.get("type", "")
    if not _ID.fullmatch(name):
        problem = f"{name[:20]!r} is no id" if name else "a secret needs an id"
        raise SecretError(f"--secret: {problem}. {_EXAMPLE}")
    if kind not in ("", "file", "env"):
        raise SecretError(f"--secret id={name}: the type {kind[:20]!r} is neither file nor env.")
    if "src" in values and "env" in values:
        raise SecretError(f"--secret id={name}: has both a file and a variable. {_EXAMPLE}")
    if kind == "env" or "env" in values:
        if kind == "file":
            raise SecretError(f"--secret id={name}: a secret of type file has no variable.")
        # As BuildKit: with `type=env`, `src` names the variable; and without both, the id does.
        return SecretSource(name, variable=values.get("env") or values.get("src") or name)
    if values.get("src"):
        return SecretSource(name, path=directory / Path(values["src"]).expanduser())
    if kind == "file":
        raise SecretError(f"--secret id={name}: a secret of type file needs src. {_EXAMPLE}")
    # Without a source the variable of that name is meant.
    return SecretSource(name, variable=name)


def read_secrets(
    commands: Sequence[PlacedCommand],
    sources: Sequence[SecretSource],
    environment: Mapping[str, str],
) -> tuple[Secret, ...]:
    """Return the secrets that commands ask for, sorted by id; others are not even read.

    Raises:
        SecretError: one is not given, or cannot be read: all such problems at once.
    """
    known = {one.id: one for one in sources}
    asked = {mount.id: one for one in commands for mount in one.command.mounts}
    found: list[Secret] = []
    problems: list[str] = []
    for name, command in sorted(asked.items()):
        try:
            found.append(_read(name, known.get(name), command, environment))
        except SecretError as error:
            problems.append(str(error))
    if problems:
        raise SecretError("\n".join(problems))
    return tuple(found)


def _read(
    name: str, source: SecretSource | None, command: PlacedCommand, environment: Mapping[str, str]
) -> Secret:
    where = f"{command.place}: {command.key} wants the secret {name!r}"
    if source is None:
        raise SecretError(
            f"{where}, which was not given. Give it by --secret id={name},src=FILE or "
            f"--secret id={name},env=VARIABLE."
        )
    if source.path is None:
        value = environment.get(source.variable or "")
        if value is None:
            raise SecretError(f"{where}, but the variable {source.variable} is not set.")
        data = value.encode("utf-8", "surrogateescape")
    else:
        try:
            with source.path.open("rb") as file:
                data = file.read(SECRET_MAX_BYTES + 1)
        except OSError as error:
            raise SecretError(f"{where}, but {source.path}: {error.strerror}.") from error
    if len(data) > SECRET_MAX_BYTES:
        raise SecretError(f"{where}, which has more than {SECRET_MAX_BYTES} bytes.")
    return Secret(source, data)


class Mask:
    """Replaces secrets in what a command prints."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        texts = (one.value.decode("utf-8", "replace") for one in secrets)
        pieces = {piece for text in texts for line in text.splitlines() for piece in _pieces(line)}
        # The longest first: one may be part of another.
        self._pieces = sorted(pieces, key=lambda one: (-len(one), one))

    def hide(self, text: str) -> str:
        """Return the text without any secret."""
        for piece in self._pieces:
            text = text.replace(piece, MASK)
        return text


def _pieces(line: str) -> list[str]:
    """Return what of a line to hide: the line, and the value in `NAME=value`."""
    stripped = line.strip()
    value = stripped.partition("=")[2].strip().strip("\"'")
    return [one for one in (stripped, value) if len(one) >= _MASKED_MIN_CHARS]
