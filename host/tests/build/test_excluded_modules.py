from __future__ import annotations

from pathlib import Path

from cogworks.build.excluded_modules import excluded_modules, excluded_notices, imported_modules

MODELS = ("run.py:Runner", None)


def write(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder)


def test_modules_are_followed_wherever_the_model_finds_them(tmp_path: Path) -> None:
    project = write(
        tmp_path,
        {
            "run.py": "import numpy\nfrom lib.parts import A\nimport beside\n",
            "lib/parts.py": "from .more import B",
            "lib/more.py": "",
            "beside.py": "",
            "other.py": "",
        },
    )
    found = excluded_modules(imported_modules(project, MODELS), {"run.py", "lib/parts.py"})
    assert found == [str(tmp_path / name) for name in ("beside.py", "lib/more.py")]
    assert imported_modules(project, (None, None)) == {}


def test_a_model_that_is_left_out_is_told_and_so_is_what_it_imports(tmp_path: Path) -> None:
    project = write(tmp_path, {"run.py": "import beside\n", "beside.py": ""})
    assert list(excluded_notices(project, MODELS, ("cog.yaml",))) == [
        "'beside.py' is imported by the model, and .dockerignore keeps it out of the image.",
        "'run.py' is the model itself, and .dockerignore keeps it out of the image.",
    ]
    assert list(excluded_notices(project, MODELS, ("run.py", "beside.py"))) == []
