"""Pin what the server in an image is made of: exact versions, each with the hashes of its files; ``scripts/lock`` runs this.

The list names no index: whichever the builder's machine has, the same files come from it, or none. It is for
every Python that the server runs on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cogworks.build.own_wheels import SDK
from cogworks.build.server_layer import COMMAND_ONLY, INIT, PACKAGES
from cogworks.build.target import OLDEST_SERVER_PYTHON

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
PARTIAL = frozenset({"UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"})
"""What names indexes beside the default one: they may have some files of a version only, and so some of its hashes."""
HEADER = """\
# The packages of the prediction server in an image, for every Python that it runs on.
# Written by scripts/lock from host/pyproject.toml; do not edit.
"""


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
    options = ("--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "pyproject.toml"
        source.write_text(project, encoding="utf-8")
        command = [str(UV), "pip", "compile", *options, "--no-emit-index-url", str(source)]
        environment = {name: text for name, text in os.environ.items() if name not in PARTIAL}
        done = subprocess.run(
            command, check=True, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
        )
    return HEADER + done.stdout


def main() -> None:
    """Write the file."""
    PACKAGES.write_text(compiled(), encoding="utf-8")
    print(f"{PACKAGES.relative_to(ROOT)}: written")


if __name__ == "__main__":
    main()
