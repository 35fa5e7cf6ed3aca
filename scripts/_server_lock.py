"""Pin what the server in an image is made of: exact versions, each with the hashes of its files; ``scripts/lock`` runs this.

Neither of the two files names an index: whichever the builder's machine has, the same files come from it, or none. The list
is for every Python that the server runs on, and for uv. The table has its wheels: with it, a build knows which ones an image
gets without asking anybody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from cogworks.build.own_wheels import SDK
from cogworks.build.server_layer import COMMAND_ONLY, INIT, PACKAGES, TABLE
from cogworks.build.target import MACHINES, OLDEST_SERVER_PYTHON, Target
from cogworks.oci.platform import Platform

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
PARTIAL = frozenset({"UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"})
"""What names indexes beside the default one: they may have some files of a version only, and so some of its hashes."""
HEADER = """\
# The packages of the prediction server in an image, for every Python that it runs on.
# Written by scripts/lock from host/pyproject.toml; do not edit.
"""
TABLE_HEADER = """\
# The wheels of the packages in prediction-server.txt. Written by scripts/lock; do not edit.
"""
PYTHONS = tuple((3, minor) for minor in range(OLDEST_SERVER_PYTHON[1], 20))
"""Those that wheels are listed for; of the newest there are none yet."""
NEWEST_GLIBC = (2, 99)


def wanted() -> Iterator[str]:
    """Yield the requirements of the host that its server needs, and the first process of a container."""
    text = (ROOT / "host" / "pyproject.toml").read_text(encoding="utf-8")
    for line in tomllib.loads(text)["project"]["dependencies"]:
        name = canonicalize_name(Requirement(line).name)
        if name not in COMMAND_ONLY and name != SDK:
            yield line
    yield INIT


def compiled() -> str:
    """Return the list."""
    oldest = ".".join(map(str, OLDEST_SERVER_PYTHON))
    project = (
        f'[project]\nname = "server"\nversion = "0"\nrequires-python = ">={oldest}"\n'
        f"dependencies = {sorted(wanted())}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "pyproject.toml"
        source.write_text(project, encoding="utf-8")
        return HEADER + _ask("--generate-hashes", "--no-emit-index-url", str(source))


def table() -> str:
    """Return the wheels of the list as a `pylock.toml`, with names of files where others have URLs."""
    oldest = ".".join(map(str, OLDEST_SERVER_PYTHON))
    answer = _ask("--format=pylock.toml", f"--python-version={oldest}", str(PACKAGES))
    lines = [TABLE_HEADER, 'lock-version = "1.0"\ncreated-by = "cogworks"\n']
    for package in tomllib.loads(answer)["packages"]:
        lines.append(f"\n[[packages]]\nname = {json.dumps(package['name'])}\n")
        lines += [
            f"{key} = {json.dumps(package[key])}\n"
            for key in ("version", "marker")
            if key in package
        ]
        lines += ["wheels = [\n", *sorted(_rows(package)), "]\n"]
    return "".join(lines)


def _rows(package: Mapping[str, Any]) -> Iterator[str]:
    fitting = {
        tag
        for machine in MACHINES
        for python in PYTHONS
        for tag in Target(python, Platform("linux", machine), NEWEST_GLIBC).tags
    }
    for wheel in package["wheels"]:
        name = unquote(wheel["url"].rpartition("/")[2])
        if fitting & parse_wheel_filename(name)[3]:
            digest, size = wheel["hashes"]["sha256"], wheel["size"]
            yield f'    {{ path = "{name}", size = {size}, hashes = {{ sha256 = "{digest}" }} }},\n'


def _ask(*arguments: str) -> str:
    """Return what uv resolves, for all platforms."""
    options = ("--universal", "--no-header", "--no-annotate", "--quiet")
    environment = {name: text for name, text in os.environ.items() if name not in PARTIAL}
    done = subprocess.run(
        [str(UV), "pip", "compile", *options, *arguments],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return done.stdout


def main() -> None:
    """Write the list, and the table of it; with `--table`, only the latter."""
    if "--table" not in sys.argv[1:]:
        PACKAGES.write_text(compiled(), encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")
    print(f"{PACKAGES.relative_to(ROOT)} and {TABLE.name}: written")


if __name__ == "__main__":
    main()
