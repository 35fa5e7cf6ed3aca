"""The files that are analysed."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A file and what to read of it."""

    title: str
    file: Path
    name: str

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return self.file.read_text(encoding="utf-8").count("\n")


def list_cases(repository: Path, folder: Path) -> list[Case]:
    """Return the cases; generated files are written to ``folder``."""
    signatures = repository / "fixtures" / "signatures"
    return [
        Case("a small model", repository / "examples" / "hello-world" / "run.py", "Runner"),
        Case("a usual model", write_usual_model(folder / "usual.py"), "Runner"),
        Case("every kind of constant", signatures / "folded_constants.py", "Runner"),
        Case("10,000 lines", write_long_model(folder / "long.py", 10_000), "Runner"),
    ]


def write_usual_model(path: Path) -> Path:
    """Write what most models look like: constants, helpers, a class of some 150 lines."""
    parameters = "".join(
        f"        size_{index}: int = Input(description={'Size ' + str(index)!r},"
        f" default=SIZES[{index % 3}], choices=SIZES),\n"
        f"        share_{index}: float = Input(default=0.5, ge=0, le=MAX_SHARE * {index + 1}),\n"
        for index in range(8)
    )
    path.write_text(
        "import os\nfrom typing import List, Optional\n\nfrom cog import BaseRunner, Input, Path\n\n"
        "SIZES = [256, 512, 1024]\nMAX_SHARE = 1 / 3 * 3\n\n\n"
        + _functions("helper", 10)
        + "class Runner(BaseRunner):\n    def setup(self) -> None:\n        self.ready = True\n\n"
        f"    def run(\n        self,\n        prompt: str,\n{parameters}"
        "        seed: Optional[int] = None,\n    ) -> List[Path]:\n        return []\n",
        encoding="utf-8",
    )
    return path


def write_long_model(path: Path, lines: int) -> Path:
    """Write a model at the end of ``lines`` lines of other code."""
    text = _functions("helper", lines // 10)
    path.write_text(
        text + "class Runner:\n    def run(self, text: str) -> str:\n        return text\n",
        encoding="utf-8",
    )
    return path


def _functions(name: str, count: int) -> str:
    """Return functions of ten lines each."""
    return "".join(
        f"LIMIT_{index} = {index}\n\n"
        f"def {name}_{index}(first, second=None):\n"
        "    found = []\n    for item in first:\n        if item and item.name != second:\n"
        "            found.append(item.name)\n"
        f"    return [entry.strip() for entry in found[:LIMIT_{index}]]\n\n\n"
        for index in range(count)
    )
