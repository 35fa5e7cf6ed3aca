"""Packages that come as source only: one of an index, and one with a module in C, whose compiler the image brings for it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from tests.parts.container import container
from tests.parts.dockerd import Docker
from tests.parts.engine import Engine

from .conftest import Desk, cog

pytestmark = [pytest.mark.slow, pytest.mark.network]

PURE = "docopt==0.6.2"
"""It has a setup.py and nothing newer, as many packages of that age."""

CONFIG = """\
build:
  python_version: "3.11"
  python_requirements: requirements.txt
  system_packages: [{packages}]
run: run.py:Runner
"""
RUN = """\
import docopt
import native
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, number: int) -> str:
        return f"{native.doubled(number)} {native.__file__} {docopt.__version__}"
"""
MODULE = """\
#include <Python.h>

static PyObject *doubled(PyObject *self, PyObject *argument) {
    return PyLong_FromLong(2 * PyLong_AsLong(argument));
}
static PyMethodDef methods[] = {{"doubled", doubled, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", NULL, -1, methods};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
"""
SETUP = """\
from setuptools import Extension, setup

setup(name="native", version="1.0", ext_modules=[Extension("native", ["native.c"])])
"""
PROJECT = '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
INFO = "Metadata-Version: 2.1\nName: native\nVersion: 1.0\n"


def write_project(root: Path, packages: str) -> Path:
    directory = root / "sources"
    (directory / "wheels").mkdir(parents=True)
    (directory / "cog.yaml").write_text(CONFIG.format(packages=packages))
    (directory / "run.py").write_text(RUN)
    (directory / "requirements.txt").write_text(f"{PURE}\n./wheels/native-1.0.tar.gz\n")
    files = {"setup.py": SETUP, "native.c": MODULE, "pyproject.toml": PROJECT, "PKG-INFO": INFO}
    with tarfile.open(directory / "wheels" / "native-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"native-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return directory


def with_engine(desk: Desk, engine: Engine | None, cache: Path) -> Desk:
    """Return a desk whose command finds one engine, or none, and knows nothing yet of what was built."""
    variables: Mapping[str, str] = {**desk.variables, "COG_CACHE_DIR": str(cache)}
    if engine is not None:
        variables = {**variables, **engine.environment, "PATH": desk.variables["PATH"]}
    return replace(desk, variables=variables)


def layers_in(cache: Path) -> dict[str, set[str]]:
    """Return title -> the layers of that title: which one differs says more than that the image does."""
    found: dict[str, set[str]] = {}
    for path in (cache / "oci" / "keys").glob("*.json"):
        noted = json.loads(path.read_text())
        found.setdefault(noted["title"], set()).add(f"{path.stem} {noted['diff_id']}")
    return found


def test_a_module_in_c_is_compiled_for_the_image_and_runs_in_it(
    desk: Desk, docker: Docker, buildah: Engine, tmp_path: Path
) -> None:
    directory = write_project(desk.root, "gcc, libc6-dev, python3-dev")
    here = with_engine(desk, buildah, tmp_path / "cache")
    image = here.push(directory)
    docker.run("pull", "--quiet", image)
    with container(docker, image) as server:
        server.wait_until_ready()
        answer = httpx2.post(f"{server.url}/predictions", json={"input": {"number": 21}}).json()
    doubled, path, version = answer["output"].split()
    assert (doubled, version) == ("42", "0.6.2")
    assert path.startswith("/opt/venv/lib/python3.11/site-packages/native.cpython-311-")
    # From another cache, the same image: what the compiler makes and how it is packed does not depend on the day.
    there = with_engine(desk, buildah, tmp_path / "other-cache")
    again = there.push(directory)
    assert layers_in(tmp_path / "other-cache") == layers_in(tmp_path / "cache")
    assert again == image
    # What was built is kept: no engine is needed for an edit of the code.
    (directory / "run.py").write_text(f"{RUN}\n# edited\n")
    variables = {**here.variables, "COG_ENGINE": "", "PATH": str(tmp_path)}
    done = replace(here, variables=variables).run(
        directory, "build", "--base-image", str(desk.base), "--no-load"
    )
    assert "native" not in done.stderr


def test_without_a_compiler_the_message_names_the_package_and_what_to_add(
    desk: Desk, buildah: Engine, tmp_path: Path
) -> None:
    directory = write_project(desk.root, "")
    variables = with_engine(desk, buildah, tmp_path / "cache").variables
    done = cog(directory, variables, "build", "--base-image", str(desk.base), "--no-load")
    assert done.returncode == 1
    assert "native 1.0 failed with exit code 1: 'pip wheel native-1.0.tar.gz'" in done.stderr
    assert "Add build-essential to build.system_packages." in done.stderr
