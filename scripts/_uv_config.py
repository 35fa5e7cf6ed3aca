"""Let uv use the registries that pip is configured for.

uv reads no pip configuration. A machine with a mirror in ``pip.conf`` or in ``PIP_*`` variables would work with
pip and fail with uv; so what pip would use is translated, unless uv has settings of its own.

    python scripts/_uv_config.py                prints `export UV_...=...` lines for a shell
    python scripts/_uv_config.py --requirement  prints the host's requirement on uv
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the uv variables that stand for pip's settings and are not in ``environ`` already.

    Args:
        pip: pip's settings by their long option's name, lists separated by white space.
    """
    found: dict[str, str] = {}
    own_index = any(name in environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"))
    if "index-url" in pip and not own_index:
        found["UV_DEFAULT_INDEX"] = pip["index-url"]
    if "extra-index-url" in pip and not own_index and "UV_EXTRA_INDEX_URL" not in environ:
        found["UV_INDEX"] = " ".join(pip["extra-index-url"].split())
        # pip takes the best version of all indexes; uv by default those of the first that has the name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "find-links" in pip:
        found["UV_FIND_LINKS"] = ",".join(pip["find-links"].split())
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        # uv has no variable for "no index"; offline, it takes local directories and its own cache only.
        found["UV_OFFLINE"] = "1"
    if "trusted-host" in pip:
        found["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if "cert" in pip:
        found["SSL_CERT_FILE"] = pip["cert"]
    return {name: value for name, value in found.items() if name not in environ}


def pip_settings() -> dict[str, str]:
    """Ask pip for its settings: files and environment, its own precedence applied."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    by_section: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, _, quoted = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in by_section:
            by_section[section][option] = str(ast.literal_eval(quoted))
    return by_section["global"] | by_section["install"] | by_section[":env:"]


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
    for name, value in uv_variables(pip_settings(), os.environ).items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
