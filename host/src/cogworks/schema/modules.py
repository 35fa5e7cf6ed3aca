"""The author's modules, found and parsed when a name leads to them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cogworks.schema.errors import SchemaError
from cogworks.schema.imports import imported_files
from cogworks.schema.scopes import Scope
from cogworks.schema.source import Source, read_source

NOT_FOLLOWED = frozenset(
    {
        "__future__",
        "abc",
        "builtins",
        "cog",
        "collections",
        "dataclasses",
        "enum",
        "math",
        "os",
        "pathlib",
        "pydantic",
        "string",
        "sys",
        "textwrap",
        "typing",
        "typing_extensions",
    }
)
"""Modules that we know by name, whatever the project calls its files: ``cog`` is always ours."""


@dataclass(frozen=True, eq=False)
class Module:
    """A module of the project: ``folder`` if it is a package, no scope if that has no init."""

    name: str
    scope: Scope | None
    folder: Path | None


class Modules:
    """All modules of one project that were needed so far."""

    def __init__(self, project_dir: Path, main_file: Path) -> None:
        """Look below the project, then beside ``main_file``, as the worker's ``sys.path`` does."""
        self._project_dir = project_dir
        self._main_file = main_file
        # What is in ``src`` is importable too, where the project installs itself.
        folders = (project_dir, main_file.parent, project_dir / "src")
        self._folders = tuple(dict.fromkeys(folders))
        self._scopes: dict[Path, Scope] = {}
        self._texts: list[tuple[Path, bytes]] | None = None

    def open_file(self, path: Path) -> Scope:
        """Return the scope of a file.

        Raises:
            SchemaError: it cannot be read or parsed.
        """
        return self._scope(path)

    def is_main(self, source: Source) -> bool:
        """Tell whether it is the file that cog.yaml names."""
        return source.path == self._main_file

    def mentioning(self, name: str) -> list[Scope]:
        """Return the scopes of all modules that run with the main file and have ``name`` in them."""
        if self._texts is None:
            self._texts = list(imported_files(self._main_file, self._folders))
        found: list[Scope] = []
        for path, text in self._texts:
            if name.encode() in text:
                with suppress(SchemaError):  # It may be imported under a condition.
                    found.append(self._scope(path))
        return found

    def find(self, name: str) -> Module | None:
        """Return a module by its dotted name; None if it is none of the project's.

        Raises:
            SchemaError: it is, but it cannot be read or parsed.
        """
        if name.split(".")[0] in NOT_FOLLOWED:
            return None
        for folder in self._folders:
            found = self._find_below(folder, name)
            if found is not None:
                return found
        return None

    def find_relative(self, source: Source, level: int, name: str) -> Module | None:
        """Return the module of ``from ..name import``, in ``source``, ``level`` dots deep."""
        folder = source.path.parent
        for _ in range(level - 1):
            folder = folder.parent
        if not folder.is_relative_to(self._project_dir):
            return None
        return self._find_below(folder, name) if name else self._package(folder)

    def submodule(self, module: Module, name: str) -> Module | None:
        """Return a module of a package, if there is one of that name."""
        return self._find_below(module.folder, name) if module.folder else None

    def _find_below(self, folder: Path, name: str) -> Module | None:
        path = folder.joinpath(*name.split("."))
        if (path / "__init__.py").is_file():
            return self._package(path)
        file = path.with_name(path.name + ".py")
        if file.is_file():
            return Module(name, self._scope(file), None)
        return self._package(path) if path.is_dir() else None

    def _package(self, folder: Path) -> Module:
        file = folder / "__init__.py"
        return Module(folder.name, self._scope(file) if file.is_file() else None, folder)

    def _scope(self, file: Path) -> Scope:
        if file not in self._scopes:
            self._scopes[file] = self._open(file)
        return self._scopes[file]

    def _open(self, file: Path) -> Scope:
        in_project = file.is_relative_to(self._project_dir)
        shown = file.relative_to(self._project_dir).as_posix() if in_project else file.name
        source = read_source(file, shown)
        return Scope(source, source.tree.body)
