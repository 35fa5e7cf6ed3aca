"""A mirror of standalone Pythons in a folder: small ones that do not run, or one of this machine's that does."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

OTHER_MACHINE = "aarch64" if platform.machine() == "x86_64" else "x86_64"
"""Not this machine's: what is for it cannot run here."""
SYSCONFIG = b"""\
# system configuration generated and used by the sysconfig module
build_time_vars = {'prefix': '/install', 'LIBDIR': '/install/lib'}
"""
_LEFT_OUT = {"test", "tests", "__pycache__", "site-packages", "idlelib", "share", "pip"}


def small_python(version: str) -> dict[str, bytes | str]:
    """Return the files of a Python that nobody can run; a text stands for a link's target."""
    name = f"python{'.'.join(version.split('.')[:2])}"
    return {
        f"bin/{name}": b"#!/bin/sh\nexit 0\n",
        "bin/python3": name,
        f"lib/{name}/os.py": b"x = 1\n",
        # Where a build was unpacked to takes the place of /install.
        f"lib/{name}/_sysconfigdata__linux_x86_64-linux-gnu.py": SYSCONFIG,
        "lib/pkgconfig/python.pc": b"prefix=/install\n",
        f"lib/{name}/test/test_os.py": b"",
        f"lib/{name}/tkinter/__init__.py": b"",
        "lib/tcl8.6/init.tcl": b"",
        f"lib/lib{name}.a": b"",
        "share/man/man1/python.1": b"",
    }


def write_mirror(
    folder: Path, version: str, machine: str, files: Mapping[str, bytes | str]
) -> dict[str, str]:
    """Write a mirror that has one Python; return the variables by which uv finds it, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"cpython-{version}-{machine}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"python/{name}")
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size, info.mode = len(content), 0o755 if name.startswith("bin/") else 0o644
                archive.addfile(info, io.BytesIO(content))
    return _listed(folder, path, version, machine)


def write_real_mirror(folder: Path, minor: str) -> tuple[str, dict[str, str]]:
    """Write a mirror with the Python of pyenv that has a minor version; return its version and the variables."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = sorted(root.glob(f"{minor}.*"))
    if not found:
        pytest.skip(f"no Python {minor} below {root}: pyenv install {minor}")
    version, machine = found[-1].name, platform.machine()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"cpython-{version}.tar.gz"

    def wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = info.name.split("/")
        is_left = _LEFT_OUT.intersection(parts) or any(one.startswith("config-") for one in parts)
        return None if is_left or info.name.endswith(".a") else info

    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(found[-1], "python", filter=wanted)
    return version, _listed(folder, path, version, machine)


def _listed(folder: Path, path: Path, version: str, machine: str) -> dict[str, str]:
    major, minor, patch = map(int, version.split("."))
    entry = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": path.as_uri(),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "variant": None,
        "build": "20260101",
    }
    listed = folder / "downloads.json"
    known: dict[str, object] = json.loads(listed.read_text()) if listed.exists() else {}
    known[f"cpython-{version}-linux-{machine}-gnu"] = entry
    listed.write_text(json.dumps(known))
    return {
        "UV_PYTHON_DOWNLOADS_JSON_URL": str(listed),
        "UV_PYTHON_INSTALL_DIR": str(folder / "uv-has"),
    }
