"""Let uv use the registries that pip is configured for, before anything is installed.

python scripts/_uv_config.py                prints `export UV_...=...` lines for a shell
python scripts/_uv_config.py --requirement  prints the host's requirement on uv
"""

from __future__ import annotations

import os
import shlex
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(
    0, str(ROOT / "host" / "src")
)  # Nothing is installed yet; this module needs nothing.

from cogworks.engines.pip_settings import read_pip_settings, uv_variables  # noqa: E402


def uv_requirement() -> str:
    """Return the host's requirement on uv, so that its bound is written once."""
    pyproject = tomllib.loads((ROOT / "host" / "pyproject.toml").read_text(encoding="utf-8"))
    requirements: list[str] = pyproject["project"]["dependencies"]
    return next(requirement for requirement in requirements if requirement.startswith("uv>"))


def main() -> None:
    """Print what the shell asked for."""
    if sys.argv[1:] == ["--requirement"]:
        print(uv_requirement())
        return
    for name, value in uv_variables(read_pip_settings(os.environ), os.environ).items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
