"""Files that exist only in a test's mind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cogworks.project.errors import TextError


@dataclass
class MemoryFiles:
    """A file system of texts by absolute path; ``links`` are symbolic links."""

    texts: dict[Path, str] = field(default_factory=dict[Path, str])
    links: dict[Path, Path] = field(default_factory=dict[Path, Path])

    def is_file(self, path: Path) -> bool:
        return self.resolve(path) in self.texts

    def has_dependencies(self, pyproject: Path) -> bool:
        return "[project]" in self.texts.get(self.resolve(pyproject), "")

    def read_text(self, path: Path) -> str:
        try:
            return self.texts[self.resolve(path)]
        except KeyError:
            raise TextError(1, "the file cannot be read") from None

    def resolve(self, path: Path) -> Path:
        parts: list[str] = []
        for part in path.parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        whole = Path(*parts)
        return self.links.get(whole, whole)


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()
