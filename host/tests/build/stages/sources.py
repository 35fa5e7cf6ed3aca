"""Source distributions and git repositories that the tests make: their builds need nothing from anywhere."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

BACKEND = '''\
"""Builds a wheel by hand; `TAG` says for which machines."""

import base64, hashlib, os, sysconfig, zipfile

TAG = "{tag}"


def get_requires_for_build_wheel(config_settings=None):
    return {requires}


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    info = os.path.join(folder, "{name}-1.0.dist-info")
    os.makedirs(info)
    for member, text in _info().items():
        with open(os.path.join(info, member), "w") as file:
            file.write(text)
    return "{name}-1.0.dist-info"


def build_wheel(folder, config_settings=None, metadata_directory=None):
    {body}
    files = {{"{name}/__init__.py": "where = %r\\n" % (built,)}}
    files.update({{"{name}-1.0.dist-info/" + k: v for k, v in _info().items()}})
    lines = []
    filename = "{name}-1.0-" + _tag() + ".whl"
    with zipfile.ZipFile(os.path.join(folder, filename), "w") as archive:
        for member, text in files.items():
            # Like many a tool, this packs in its own way each time.
            when = 1980 + os.getpid() % 100
            archive.writestr(zipfile.ZipInfo(member, (when, 1, 1, 0, 0, 0)), text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
            lines.append("%s,sha256=%s,%d" % (member, digest.rstrip("="), len(text.encode())))
        lines.append("{name}-1.0.dist-info/RECORD,,")
        archive.writestr(zipfile.ZipInfo("{name}-1.0.dist-info/RECORD"), "\\n".join(lines) + "\\n")
    return filename


def _tag():
    machine = sysconfig.get_platform().replace("-", "_")
    return TAG.replace("MACHINE", machine)


def _info():
    return {{
        "METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: " + _tag() + "\\n",
    }}
'''
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "1.0"
"""
NATIVE, FOLDER = "cp311-cp311-MACHINE", "built = os.getcwd()"
"""For the machine that it is built on, and only there; it tells in which folder that was."""


def write_source(
    folder: Path,
    name: str,
    *,
    tag: str = "py3-none-any",
    body: str = "built = 'somewhere'",
    requires: str = "[]",
    files: tuple[str, ...] = (),
) -> Path:
    """Write `NAME-1.0.tar.gz`; what needs a compiler has a file for one."""
    members = {
        "pyproject.toml": PROJECT.format(name=name),
        "backend.py": BACKEND.format(name=name, tag=tag, body=body, requires=requires),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        **dict.fromkeys(files, ""),
        **({} if tag.endswith("any") else {f"src/{name}.c": "int x;\n"}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in members.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
"""What git runs under: nothing of this machine."""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, env=GIT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write_repository(folder: Path, name: str, **options: str) -> Path:
    """Write a source as a repository, which any server of files can serve: `NAME.git`."""
    tree, bare = folder / f"{name}-1.0", folder / f"{name}.git"
    with tarfile.open(write_source(folder, name, **options)) as archive:  # type: ignore[arg-type]
        archive.extractall(folder, filter="data")
    git(tree, "init", "--quiet")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "-m", "first")
    git(folder, "clone", "--quiet", "--bare", str(tree), str(bare))
    git(bare, "update-server-info")
    return bare
