"""How the public sources become tables: samples in their form, written for these tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.project.torch_builds import INDEX
from scripts._compatibility import (
    DATA,
    Row,
    cuda_rows,
    main,
    render,
    tensorflow_rows,
    torch_folders,
    torch_releases,
    torch_rows,
    torch_wheels,
    update,
)

TAGS = [
    "12.6.3-cudnn-devel-ubuntu24.04",
    "12.6.3-cudnn-devel-ubuntu22.04",
    "12.6.3-cudnn-runtime-ubuntu24.04",
    "12.6.3-devel-ubuntu24.04",
    "12.6.3-cudnn-devel-rockylinux9",
    "12.3.2-cudnn9-devel-ubuntu22.04",
    "11.8.0-cudnn8-devel-ubuntu20.04",
    "10.2-cudnn8-devel-ubuntu18.04",
    "9.2.0-cudnn7-devel-ubuntu18.04",
    "latest",
]
VERSIONS_PAGE = f"""
<h3>v2.5.1</h3><pre><code># CUDA 12.1
pip install torch==2.5.1 torchvision==0.20.1 torchaudio==2.5.1 --index-url {INDEX}/cu121
# CPU only
pip install torch==2.5.1 torchvision==0.20.1 torchaudio==2.5.1 --index-url {INDEX}/cpu
conda install pytorch==2.5.1 torchvision==0.20.1 torchaudio==2.5.1 -c pytorch
</code></pre>
<h3>v1.12.1</h3><pre><code># CUDA 11.6
pip install torch==1.12.1+cu116 torchvision==0.13.1+cu116 torchaudio==0.12.1 --extra-index-url {INDEX}/cu116
# ROCM 5.1.1 (Linux only)
pip install torch==1.12.1+rocm5.1.1 torchvision==0.13.1+rocm5.1.1 --extra-index-url {INDEX}/rocm5.1.1
</code></pre>
"""
INDEX_PAGE = """<!DOCTYPE html><html><body><h1>Links for torch</h1>
<a href="/whl/cu121/torch-2.5.1%2Bcu121-cp311-cp311-linux_x86_64.whl#sha256=aa">torch-2.5.1+cu121-cp311-cp311-linux_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-2.5.1%2Bcu121-cp39-cp39-linux_x86_64.whl#sha256=ab">torch-2.5.1+cu121-cp39-cp39-linux_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-2.5.1%2Bcu121-cp310-cp310-manylinux_2_28_x86_64.whl">torch-2.5.1+cu121-cp310-cp310-manylinux_2_28_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-2.5.1%2Bcu121-cp313-cp313t-linux_x86_64.whl">torch-2.5.1+cu121-cp313-cp313t-linux_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-2.5.1%2Bcu121-cp312-cp312-win_amd64.whl">torch-2.5.1+cu121-cp312-cp312-win_amd64.whl</a><br/>
<a href="/whl/cu121/torch-2.4.0%2Bcu121.with.pypi.cudnn-cp311-cp311-linux_x86_64.whl">torch-2.4.0+cu121.with.pypi.cudnn-cp311-cp311-linux_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-2.6.0.dev20241112%2Bcu121-cp311-cp311-linux_x86_64.whl">torch-2.6.0.dev20241112+cu121-cp311-cp311-linux_x86_64.whl</a><br/>
<a href="/whl/cu121/torch-1.10.0%2Bcu121-cp39-cp39-linux_x86_64.whl">torch-1.10.0+cu121-cp39-cp39-linux_x86_64.whl</a><br/>
</body></html>"""
GUIDE = """
### Linux
#### GPU
<table>
<tr><th>Version</th><th>Python version</th><th>Compiler</th><th>Build tools</th><th>cuDNN</th><th>CUDA</th></tr>
<tr><td>tensorflow-2.18.0</td><td>3.9-3.12</td><td>Clang 17.0.6</td><td>Bazel 6.5.0</td><td>9.3</td><td>12.5</td></tr>
<tr><td>tensorflow-2.4.0</td><td>3.6-3.8</td><td>GCC 7.3.1</td><td>Bazel 3.1.0</td><td>8.0</td><td>11.0</td></tr>
<tr><td>tensorflow-2.3.0</td><td>3.5-3.8</td><td>GCC 7.3.1</td><td>Bazel 3.1.0</td><td>7.6</td><td>10.1</td></tr>
<tr><td>tensorflow_gpu-1.15.0</td><td>2.7, 3.3-3.7</td><td>GCC 7.3.1</td><td>Bazel 0.26.1</td><td>7.4</td><td>10.0</td></tr>
</table>
### macOS
#### CPU
<table><tr><td>tensorflow-2.16.1</td><td>3.9-3.12</td><td>Clang from xcode 13.6</td><td>Bazel 6.5.0</td></tr></table>
"""


def test_tags_with_cudnn_and_compilers_become_rows() -> None:
    asked: list[str] = []

    def cudnn_of(tag: str) -> str:
        asked.append(tag)
        return "9.5.1.17-1"

    rows = cuda_rows(TAGS, cudnn_of)
    assert [(row["cuda"], row["cudnn"], row["ubuntu"]) for row in rows] == [
        ("11.8.0", "8", "20.04"),
        ("12.3.2", "9", "22.04"),
        ("12.6.3", "9", "22.04"),
        ("12.6.3", "9", "24.04"),
    ]
    assert asked == ["12.6.3-cudnn-devel-ubuntu24.04"]


def test_releases_that_go_together_stand_in_one_command() -> None:
    assert torch_releases(VERSIONS_PAGE) == {
        "2.5.1": ("0.20.1", "2.5.1"),
        "1.12.1": ("0.13.1", "0.12.1"),
    }
    assert torch_folders(VERSIONS_PAGE) == ["cpu", "cu116", "cu121"]


def test_wheels_for_linux_say_which_pythons_a_build_has() -> None:
    assert torch_wheels(INDEX_PAGE, "cu121") == {
        "2.5.1": ["3.9", "3.10", "3.11"],
        "1.10.0": ["3.9"],
    }


def test_builds_become_rows_in_the_order_of_releases_and_of_cuda() -> None:
    wheels = {
        "cu121": torch_wheels(INDEX_PAGE, "cu121"),
        "cpu": {"2.5.1": ["3.11"], "9.9.9": ["3.11"]},
        "cu118": {"2.5.1": ["3.11"]},
    }
    rows = torch_rows(torch_releases(VERSIONS_PAGE), wheels)
    assert [(row["torch"], row["cuda"]) for row in rows] == [
        ("2.5.1+cpu", None),
        ("2.5.1+cu118", "11.8"),
        ("2.5.1+cu121", "12.1"),
    ]
    assert rows[2] == {
        "torch": "2.5.1+cu121",
        "torchvision": "0.20.1",
        "torchaudio": "2.5.1",
        "cuda": "12.1",
        "pythons": ["3.9", "3.10", "3.11"],
    }


def test_releases_that_were_tested_with_a_gpu_become_rows() -> None:
    assert tensorflow_rows(GUIDE) == [
        {"tensorflow": "2.4.0", "cuda": "11.0", "cudnn": "8.0", "pythons": ["3.6", "3.7", "3.8"]},
        {
            "tensorflow": "2.18.0",
            "cuda": "12.5",
            "cudnn": "9.3",
            "pythons": ["3.9", "3.10", "3.11", "3.12"],
        },
    ]


@given(st.text(max_size=200))
def test_no_page_stops_a_parser(page: str) -> None:
    assert torch_releases(page) == {}
    assert torch_wheels(page, "cpu") == {}
    assert tensorflow_rows(page) == []
    assert torch_folders(page) == []


@pytest.mark.parametrize("name", ["cuda", "torch", "tensorflow"])
def test_the_tables_are_in_the_form_that_is_written(name: str) -> None:
    text = (DATA / f"{name}.json").read_text(encoding="utf-8")
    rows: list[Row] = json.loads(text)
    assert render(rows) == text


def test_a_table_that_would_lose_rows_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "cuda.json"
    before: list[Row] = [{"tag": "a", "cuda": "1"}, {"tag": "b", "cuda": "2"}]
    path.write_text(render(before))
    with pytest.raises(SystemExit, match="1 rows would be gone: a"):
        update("cuda", before[1:], tmp_path, allow_removals=False)
    assert path.read_text() == render(before)
    after: list[Row] = [{"tag": "b", "cuda": "3"}, {"tag": "c", "cuda": "4"}]
    told = update("cuda", after, tmp_path, allow_removals=True)
    assert told == "cuda: 2 rows, 1 new, 1 changed, 1 gone"
    assert path.read_text() == render(after)


def test_a_table_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rocm"])
    assert "invalid choice: 'rocm'" in capsys.readouterr().err
