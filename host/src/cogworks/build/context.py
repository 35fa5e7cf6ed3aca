"""The project's files that belong into an image: everything but what `.dockerignore` and good sense leave out."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.dockerignore import Dockerignore, parse_dockerignore
from cogworks.build.errors import ContextError
from cogworks.build.products import is_product_file, is_product_folder, is_product_name
from cogworks.build.weights import WeightRule, weight_rule
from cogworks.oci.errors import quoted
from cogworks.project.path_patterns import PatternError

NEVER = frozenset({".git", ".cog", "__pycache__", ".venv"})
"""Names that are left out at any depth; so is every folder with a `pyvenv.cfg`, a virtual environment, and what
`products` knows as images."""

SYSTEM = ("/usr/", "/etc/", "/bin/", "/sbin/", "/lib", "/dev/", "/proc/", "/sys/")
"""Where links may lead that mean a file of the image."""
FILES_MAX = 1_000_000
"""More files than this are no project; somebody builds their home folder."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the project; ``path`` is relative to it, with slashes."""

    path: str
    size_bytes: int
    is_executable: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What is taken along from ``directory``; every sequence is sorted by path."""

    directory: Path
    code: tuple[SourceFile, ...]
    weights: tuple[SourceFile, ...]
    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    files: list[SourceFile] = field(default_factory=list[SourceFile])
    folders: list[str] = field(default_factory=list[str])
    links: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    skipped: list[str] = field(default_factory=list[str])


def read_context(
    directory: Path,
    weight_patterns: Sequence[str] = (),
    *,
    separate_weights: bool = False,
    secret_files: Collection[Path] = (),
) -> Context:
    """Return what is taken along from a project.

    Args:
        weight_patterns: files that they match are weights, however small they are; as `build.weights` has them.
        separate_weights: smaller files are weights too, unless they are code or media.
        secret_files: are left out, wherever they are.

    Raises:
        ContextError: a folder cannot be read, there are too many files, or a weight pattern is none.
        DockerignoreError: a line of .dockerignore is no pattern.
    """
    rule = _weight_rule(weight_patterns, separate_weights)
    ignore = _read_dockerignore(directory)
    found = _Found()
    try:
        for path, entry in _walk(directory, "", ignore):
            _take(found, path, entry)
    except OSError as error:
        where = error.filename or directory
        raise ContextError(f"{where} cannot be read: {error.strerror or error}.") from error
    secret = _secret_paths(directory, found.files, secret_files)
    kept = [one for one in found.files if one.path not in secret]
    files = sorted(kept, key=lambda one: one.path)
    is_weight = [rule.takes(one.path, one.size_bytes) for one in files]
    return Context(
        directory,
        tuple(one for one, is_one in zip(files, is_weight, strict=True) if not is_one),
        tuple(one for one, is_one in zip(files, is_weight, strict=True) if is_one),
        tuple(sorted(found.folders)),
        tuple(sorted(found.links)),
        tuple(_warnings(found, rule, files, secret)),
    )


def _secret_paths(
    directory: Path, files: Sequence[SourceFile], secret_files: Collection[Path]
) -> list[str]:
    """Return the files that were given as secrets, however their paths were spelled."""
    real = {os.path.realpath(path) for path in secret_files}
    if not real:
        return []
    return [one.path for one in files if os.path.realpath(directory / one.path) in real]


def _warnings(
    found: _Found, rule: WeightRule, files: Sequence[SourceFile], secret: Sequence[str]
) -> Iterator[str]:
    for path in secret:
        yield f"{quoted(path)} was given as a secret: it is left out of the image."
    for path in sorted(found.skipped):
        yield f"{path} is neither file, folder nor link: it is left out."
    away = [(path, target) for path, target in sorted(found.links) if leads_away(path, target)]
    if away:
        more = f", as {len(away) - 1} more" if len(away) > 1 else ""
        yield (
            f"{quoted(away[0][0])} is a link out of the project, to {quoted(away[0][1])}{more}: "
            "the image gets the link, and not what it leads to."
        )
    for text in rule.idle_patterns([one.path for one in files]):
        yield f"build.weights: {quoted(text)} matches no file of the project."


def _read_dockerignore(directory: Path) -> Dockerignore:
    path = directory / ".dockerignore"
    try:
        return parse_dockerignore(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Dockerignore()
    except (OSError, UnicodeDecodeError) as error:
        raise ContextError(f"{path} cannot be read: {error}.") from error


def _weight_rule(patterns: Sequence[str], is_separate: bool) -> WeightRule:
    try:
        return weight_rule(patterns, is_separate=is_separate)
    except PatternError as error:
        raise ContextError(f"A pattern of the weights is none: {error}.") from error


def leads_away(path: str, target: str) -> bool:
    """Tell whether a link leads out of the project, to a place that images have no reason to have."""
    if target.startswith("/"):
        return not target.startswith(SYSTEM)
    there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return there == ".." or there.startswith("../")


def _walk(
    directory: Path, prefix: str, ignore: Dockerignore
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is included; links are not followed."""
    with os.scandir(directory) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = prefix + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in NEVER or _is_no_source(entry, is_folder=is_folder):
            continue
        is_out = ignore.excludes(path)
        if not is_out:
            yield path, entry
        # Below an excluded folder an exception may still include something.
        if is_folder and not (is_out and not ignore.has_exceptions):
            yield from _walk(Path(entry.path), f"{path}/", ignore)


def _is_no_source(entry: os.DirEntry[str], *, is_folder: bool) -> bool:
    """Tell whether something is a virtual environment, or what our own commands write."""
    if is_folder:
        environment = os.path.join(entry.path, "pyvenv.cfg")
        return os.path.lexists(environment) or is_product_folder(entry.path)
    return (
        is_product_name(entry.name)
        and entry.is_file(follow_symlinks=False)
        and is_product_file(entry.path)
    )


def _take(found: _Found, path: str, entry: os.DirEntry[str]) -> None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        is_executable = bool(status.st_mode & 0o100)
        found.files.append(SourceFile(path, status.st_size, is_executable))
    elif stat.S_ISDIR(status.st_mode):
        found.folders.append(path)
    elif stat.S_ISLNK(status.st_mode):
        found.links.append((path, os.readlink(entry.path)))
    else:
        found.skipped.append(path)
    if len(found.files) > FILES_MAX:
        raise ContextError(
            f"The project has more than {FILES_MAX} files. Leave some out with a .dockerignore, "
            f"or check that cog.yaml is in the right folder; the last one was {quoted(path)}."
        )
