"""Which build of PyTorch a project's lock has; the indexes are folders that the tests write."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.errors import LockError
from cogworks.build.locked_wheels import locked_wheels
from cogworks.build.resolve import LOCK_NAME, Resolution, resolve
from cogworks.build.target import Target
from cogworks.build.torch_index import find_torch_index
from cogworks.engines.inputs import collect_inputs
from cogworks.engines.lease import read_claims
from cogworks.oci.platform import parse_platform
from cogworks.project import Build, Project
from cogworks.project.torch_builds import INDEX
from host.tests.engines.private_index import PASSWORD, private_index

from .bases import Quiet
from .conftest import write_wheel

TARGET = Target((3, 11), parse_platform("linux/amd64"))
NVIDIA = "nvidia_cublas_cu12"


def write_index(root: Path, *wheels: tuple[str, str, list[str]]) -> str:
    """Write an index as a folder of pages; return its URL."""
    for name, version, requires in wheels:
        folder = root / name.replace("_", "-")
        write_wheel(folder, name, version, requires=requires)
        links = (f'<a href="{one.name}">{one.name}</a>' for one in folder.glob("*.whl"))
        (folder / "index.html").write_text("".join(links))
    return root.as_uri()


@pytest.fixture
def indexes(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a machine whose indexes have builds of PyTorch like the real ones."""
    usual = write_index(
        tmp_path / "usual",
        ("torch", "2.5.1", [NVIDIA, "numpy"]),
        ("torch", "2.6.0", [NVIDIA, "numpy"]),
        ("torchvision", "0.21.0", ["torch==2.6.0"]),
        ("timm", "1.0", ["torch", "torchvision"]),
        (NVIDIA, "12.0", []),
        ("numpy", "2.0", []),
    )
    for folder in ("cpu", "cu121", "cu124"):
        needs = ["numpy"] if folder == "cpu" else ["numpy", NVIDIA]
        write_index(
            tmp_path / "whl" / folder,
            ("torch", f"2.5.1+{folder}", needs),
            ("torch", f"2.6.0+{folder}", needs),
            ("torchvision", f"0.21.0+{folder}", ["torch==2.6.0"]),
            # PyTorch's index has old copies of other packages, which nobody wants.
            ("numpy", "1.0", []),
        )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
        "UV_DEFAULT_INDEX": usual,
        "COG_PYTORCH_INDEX": (tmp_path / "whl").as_uri(),
    }


def project(folder: Path, *lines: str, gpu: bool = False, cuda: str | None = None) -> Project:
    folder.mkdir(exist_ok=True)
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in lines))
    build = Build("3.11", requirements_file=listed, gpu=gpu, cuda=cuda)
    return Project(folder, folder / "cog.yaml", build)


def lock(tmp_path: Path, made: Project, variables: Mapping[str, str]) -> Resolution:
    python = Path(sys.executable)
    cache = Cache(tmp_path / "cache")
    return resolve(made, TARGET, cache, Quiet(), python=python, environment=variables)


def versions(
    tmp_path: Path, variables: Mapping[str, str], *lines: str, cuda: str | None = None
) -> dict[str, str]:
    gpu = cuda is not None
    made = project(tmp_path / "project", *lines, gpu=gpu, cuda=cuda or None)
    return {one.name: one.version for one in lock(tmp_path, made, variables).wheels}


CPU = {"torch": "2.6.0+cpu", "numpy": "2.0"}


@pytest.mark.slow
def test_a_cpu_project_gets_the_build_for_cpus(tmp_path: Path, indexes: dict[str, str]) -> None:
    assert versions(tmp_path, indexes, "torch") == CPU
    assert versions(tmp_path, indexes, "torch==2.5.1") == {**CPU, "torch": "2.5.1+cpu"}
    assert versions(tmp_path, indexes, "torch==2.5.1+cpu") == {**CPU, "torch": "2.5.1+cpu"}


@pytest.mark.slow
def test_so_does_one_in_which_only_others_need_torch(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    assert versions(tmp_path, indexes, "timm") == {
        **CPU,
        "timm": "1.0",
        "torchvision": "0.21.0+cpu",
    }
    assert versions(tmp_path, indexes, "torchvision") == {**CPU, "torchvision": "0.21.0+cpu"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "cuda", "version"),
    [
        ("torch==2.5.1", "", "2.5.1+cu124"),
        ("torch==2.5.1", "12.2", "2.5.1+cu121"),
        ("torch==2.5.1+cu121", "", "2.5.1+cu121"),
        ("torch==2.5.1+cu121", "12.4", "2.5.1+cu121"),
        ("torch", "12.4.1", "2.6.0+cu124"),
        # No row of the table fits: as the package index has it.
        ("torch==2.5.1", "11.7", "2.5.1"),
    ],
)
def test_a_gpu_project_gets_the_build_for_its_cuda(
    tmp_path: Path, indexes: dict[str, str], line: str, cuda: str, version: str
) -> None:
    found = versions(tmp_path, indexes, line, cuda=cuda)
    assert found == {"torch": version, "nvidia-cublas-cu12": "12.0", "numpy": "2.0"}


@pytest.mark.slow
def test_a_pyproject_is_treated_alike(tmp_path: Path, indexes: dict[str, str]) -> None:
    made = project(tmp_path / "project")
    pyproject = tmp_path / "project" / "pyproject.toml"
    pyproject.write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["timm", "torch"]\n')
    build = replace(made.build, requirements_file=pyproject)
    wheels = lock(tmp_path, replace(made, build=build), indexes).wheels
    assert [one.version for one in wheels] == ["2.0", "1.0", "2.6.0+cpu", "0.21.0+cpu"]


@pytest.mark.slow
def test_an_index_that_is_not_there_is_named_with_what_to_do(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    # Nothing listens on port 9 of loopback.
    indexes |= {"COG_PYTORCH_INDEX": "http://me:hunter2@127.0.0.1:9/whl", "UV_HTTP_RETRIES": "0"}
    with pytest.raises(LockError) as caught:
        versions(tmp_path, indexes, "torch")
    message = str(caught.value)
    assert "PyTorch is taken from http://***@127.0.0.1:9/whl/cpu." in message
    assert "set COG_PYTORCH_INDEX to the URL of a mirror, below which there is cpu/;" in message
    assert "COG_PYTORCH_INDEX=off" in message
    assert "hunter2" not in message


@pytest.mark.slow
def test_switched_off_everything_comes_from_the_usual_indexes(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    indexes["COG_PYTORCH_INDEX"] = "off"
    found = versions(tmp_path, indexes, "torch")
    assert found == {"torch": "2.6.0", "nvidia-cublas-cu12": "12.0", "numpy": "2.0"}


@pytest.mark.slow
def test_cuda_in_an_image_without_a_gpu_is_told(tmp_path: Path, indexes: dict[str, str]) -> None:
    made = project(tmp_path / "project", "torch")
    assert lock(tmp_path, made, indexes).notices == ()
    indexes["COG_PYTORCH_INDEX"] = "off"
    (notice,) = lock(tmp_path, made, indexes).notices
    assert notice.startswith("nvidia-cublas-cu12 brings CUDA into an image without a GPU.")
    gpu = project(tmp_path / "project", "torch==2.5.1", gpu=True)
    assert lock(tmp_path, gpu, indexes).notices == ()


@pytest.mark.slow
def test_a_lock_in_the_repository_holds_wherever_torch_comes_from(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    made = project(tmp_path / "project", "torch")
    cache = Cache(tmp_path / "cache")
    options = {"python": Path(sys.executable), "keep_beside": True}
    first = resolve(made, TARGET, cache, Quiet(), environment=indexes, **options)  # type: ignore[arg-type]
    assert (first.is_new, first.path) == (True, tmp_path / "project" / LOCK_NAME)
    indexes["COG_PYTORCH_INDEX"] = "off"
    again = lock(tmp_path, made, indexes)
    assert (again.is_new, again.wheels) == (False, first.wheels)


@pytest.mark.slow
def test_the_folder_of_a_lock_in_the_cache_is_claimed_while_it_is_made(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    cache, claimed = Cache(tmp_path / "cache"), set[str]()

    class Watching(Quiet):
        def stage(self, text: str) -> None:
            claimed.update(read_claims(tmp_path / "cache").paths)

    made = project(tmp_path / "project", "torch")
    python = Path(sys.executable)
    found = resolve(made, TARGET, cache, Watching(), environment=indexes, python=python)
    assert found.path is not None
    assert str(found.path.parent.relative_to(tmp_path / "cache")) in claimed


def url_of(made: Project, **variables: str) -> str | None:
    environment = {"PIP_CONFIG_FILE": "/dev/null", **variables}
    inputs = collect_inputs(made, "3.11", environment)
    return find_torch_index(made, inputs, TARGET, environment).url


def test_without_a_setting_it_is_pytorchs_own_index(tmp_path: Path) -> None:
    assert url_of(project(tmp_path, "torch")) == f"{INDEX}/cpu"
    assert url_of(project(tmp_path, "torch==2.5.1", gpu=True)) == f"{INDEX}/cu124"
    mirror = {"COG_PYTORCH_INDEX": "https://m.example/pt/"}
    assert url_of(project(tmp_path, "numpy"), **mirror) == "https://m.example/pt/cpu"


@pytest.mark.parametrize(
    "lines",
    [
        ["torch", "--no-index"],
        ["torch", "--extra-index-url https://m.example/whl/cu121"],
        ["torch==2.5.1 --extra-index-url https://m.example/whl/cu121/"],
        ["torch", f"--index-url {INDEX}/nightly/cpu"],
        ["torch", f"-f {INDEX}/torch_stable.html"],
    ],
)
def test_options_of_the_author_decide(tmp_path: Path, lines: list[str]) -> None:
    assert url_of(project(tmp_path, *lines)) is None


@pytest.mark.parametrize(
    "variables",
    [
        {"UV_TORCH_BACKEND": "cpu"},
        {"UV_OFFLINE": "1"},
        {"UV_NO_INDEX": "true"},
        {"PIP_NO_INDEX": "1"},
        {"UV_INDEX": f"https://a.example/simple pt={INDEX}/cpu"},
        {"PIP_EXTRA_INDEX_URL": "https://m.example/whl/cpu"},
        {"COG_PYTORCH_INDEX": "OFF"},
    ],
)
def test_settings_of_the_machine_decide(tmp_path: Path, variables: dict[str, str]) -> None:
    assert url_of(project(tmp_path, "torch"), **variables) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.toml", f'[[index]]\nname = "pt"\nurl = "{INDEX}/cpu"\n'),
        ("uv.toml", '[pip]\ntorch-backend = "cpu"\n'),
        ("pyproject.toml", '[tool.uv.pip]\ntorch-backend = "cpu"\n'),
        ("pyproject.toml", '[tool.uv.sources]\ntorch = { index = "mine" }\n'),
        ("pyproject.toml", f'[[tool.uv.index]]\nname = "pt"\nurl = "{INDEX}/cpu"\n'),
    ],
)
def test_settings_of_the_project_decide(tmp_path: Path, name: str, text: str) -> None:
    made = project(tmp_path, "torch")
    (tmp_path / name).write_text(text)
    assert url_of(made) is None


@pytest.mark.parametrize("text", ["", "[tool.uv]\n", "[tool.uv.sources]\nsix = {}\n", "[broken"])
def test_other_settings_of_the_project_do_not(tmp_path: Path, text: str) -> None:
    made = project(tmp_path, "torch", "--extra-index-url https://a.example/simple")
    (tmp_path / "pyproject.toml").write_text(text)
    assert url_of(made, UV_DEFAULT_INDEX="https://b.example/cpus/simple") == f"{INDEX}/cpu"


def test_what_comes_by_url_or_by_hash_stays_what_it_is(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        "torch @ https://a.example/torch-2.5.1-cp311-cp311-linux_x86_64.whl",
        "torchaudio==2.5.1 --hash=sha256:" + "a" * 64,
        "torchvision",
    )
    environment = {"PIP_CONFIG_FILE": "/dev/null"}
    index = find_torch_index(made, collect_inputs(made, "3.11", environment), TARGET, environment)
    assert index.direct == {"torchvision"}
    assert index.excluded == {"torch", "torchaudio"}
    locked = "".join(f'[[packages]]\nname = "{name}"\n' for name in ("torch", "torchtext", "six"))
    assert index.missing(locked, index.direct) == {"torchtext"}


@pytest.mark.slow
def test_the_password_of_a_mirror_fetches_wheels_and_is_in_no_lock(
    tmp_path: Path, indexes: dict[str, str]
) -> None:
    write_wheel(tmp_path / "mirror", "torch", "2.6.0+cpu", requires=["numpy"])
    cache = Cache(tmp_path / "cache")
    with private_index(tmp_path / "mirror") as url:
        variables = {**indexes, "COG_PYTORCH_INDEX": url}
        made = project(tmp_path / "project", "torch")
        wheels, _ = locked_wheels(made, TARGET, cache, Quiet(), variables)
        # The second time the lock is there, and the wheels are not.
        shutil.rmtree(cache.root / "wheels")
        again, _ = locked_wheels(made, TARGET, cache, Quiet(), variables)
    assert [one.filename for one in again] == [one.filename for one in wheels]
    assert "torch-2.6.0+cpu-py3-none-any.whl" in [one.filename for one in wheels]
    written = [path for path in cache.root.rglob("*") if path.is_file()]
    assert any(path.name == "pylock.toml" for path in written)
    assert not any(PASSWORD.encode() in path.read_bytes() for path in written)
