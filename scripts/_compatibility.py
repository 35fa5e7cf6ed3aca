"""Refresh the tables of CUDA, PyTorch and TensorFlow from their public sources; ``scripts/compatibility`` runs this.

    nvidia/cuda   the tags of the image on Docker Hub; of tags without a number, cuDNN's version is in the image's environment
    torch         PyTorch's page of previous versions says what goes together, its wheel index what was built
    tensorflow    the tables of tested builds in TensorFlow's installation guide

What a source says is turned into rows by functions that get text; the tests give them samples. A table that would lose
rows is not written unless ``--allow-removals`` says so: a page that has changed its form looks as if it were shorter.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from cogworks.project.compatibility import numbers
from cogworks.project.torch_builds import INDEX

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "host" / "src" / "cogworks" / "project" / "data"
TORCH_VERSIONS = "https://pytorch.org/get-started/previous-versions/"
TENSORFLOW_BUILDS = (
    "https://raw.githubusercontent.com/tensorflow/docs/master/site/en/install/source.md"
)
TIMEOUT_S = 60.0

OLDEST_CUDA = (11,)
OLDEST_TORCH = (1, 11)
OLDEST_TENSORFLOW = (2, 4)
OLDEST_PYTHON = (3, 9)

Row: TypeAlias = "dict[str, str | list[str] | None]"

_CUDA_TAG = re.compile(r"(\d+\.\d+\.\d+)-cudnn(\d*)-devel-ubuntu(\d\d\.\d\d)")
_TRIPLE = re.compile(
    r"torch==(\d+\.\d+\.\d+)(?:\+\w+)?\s+torchvision==(\d+\.\d+\.\d+)(?:\+\w+)?\s+torchaudio==(\d+\.\d+\.\d+)"
)
_FOLDER = re.compile(r"/whl/(cpu|cu\d+)\b")
_WHEEL = re.compile(r"torch-(\d+\.\d+\.\d+)(?:\+(\w+))?-cp3(\d+)-cp3\d+-\w*linux\w*_x86_64\.whl")


# CUDA


def cuda_rows(tags: Iterable[str], cudnn_of: Callable[[str], str]) -> list[Row]:
    """Return the rows of the tags that have cuDNN and compilers.

    Args:
        cudnn_of: returns cuDNN's version for a tag that does not say it.
    """
    found: list[tuple[str, str, str, str]] = []
    known: dict[str, str] = {}
    for tag in tags:
        match = _CUDA_TAG.fullmatch(tag)
        if match is None or numbers(match[1]) < OLDEST_CUDA:
            continue
        cuda, cudnn, ubuntu = match.groups()
        if not cudnn:
            known[cuda] = known.get(cuda) or cudnn_of(tag).split(".")[0]
        found.append((cuda, cudnn or known[cuda], ubuntu, tag))
    found.sort(key=lambda one: (numbers(one[0]), numbers(one[2])))
    return [
        {"tag": tag, "cuda": cuda, "cudnn": cudnn, "ubuntu": ubuntu}
        for cuda, cudnn, ubuntu, tag in found
    ]


# PyTorch


def torch_releases(page: str) -> dict[str, tuple[str, str]]:
    """Return torch's release -> those of torchvision and torchaudio, from the commands of the page."""
    text = " ".join(unquote(page).replace("\\\n", " ").split())
    return {torch: (vision, audio) for torch, vision, audio in _TRIPLE.findall(text)}


def torch_folders(page: str) -> list[str]:
    """Return the folders of the index that the page names."""
    return sorted(set(_FOLDER.findall(page)))


def torch_wheels(page: str, folder: str) -> dict[str, list[str]]:
    """Return release -> Pythons, of the wheels for Linux in a folder's page; those of other builds are left out."""
    found: dict[str, set[str]] = {}
    for release, suffix, minor in _WHEEL.findall(unquote(page)):
        if suffix in ("", folder) and (3, int(minor)) >= OLDEST_PYTHON:
            found.setdefault(release, set()).add(f"3.{minor}")
    return {release: sorted(pythons, key=numbers) for release, pythons in found.items()}


def torch_rows(
    releases: Mapping[str, tuple[str, str]], wheels: Mapping[str, Mapping[str, Sequence[str]]]
) -> list[Row]:
    """Return the rows of all builds.

    Args:
        wheels: folder -> release -> Pythons.
    """
    found = [
        (release, folder, list(pythons))
        for folder, builds in wheels.items()
        for release, pythons in builds.items()
        if release in releases and numbers(release) >= OLDEST_TORCH
    ]
    found.sort(key=lambda one: (numbers(one[0]), numbers(_cuda_of(one[1]) or "0")))
    return [
        {
            "torch": f"{release}+{folder}",
            "torchvision": releases[release][0],
            "torchaudio": releases[release][1],
            "cuda": _cuda_of(folder),
            "pythons": list(pythons),
        }
        for release, folder, pythons in found
    ]


def _cuda_of(folder: str) -> str | None:
    digits = folder.removeprefix("cu")
    return f"{digits[:-1]}.{digits[-1]}" if digits.isdigit() else None


# TensorFlow


class _Tables(HTMLParser):
    """Collects the rows of all tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a row, or a cell."""
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._is_inside = True

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        self._is_inside = self._is_inside and tag not in ("td", "th", "tr")

    def handle_data(self, data: str) -> None:
        """Add to the cell."""
        if self._is_inside:
            self.rows[-1][-1] += data


def tensorflow_rows(page: str) -> list[Row]:
    """Return the rows of the releases that were tested with a GPU: version, Pythons, two tools, cuDNN, CUDA."""
    tables = _Tables()
    with suppress(AssertionError):  # How the standard library's parser gives up on what is no HTML.
        tables.feed(page)
    found: dict[str, Row] = {}
    for cells in ([cell.strip() for cell in row] for row in tables.rows):
        match = re.fullmatch(r"tensorflow-(\d+\.\d+\.\d+)", cells[0]) if len(cells) == 6 else None
        versions = cells[-2:]
        if match is None or not all(re.fullmatch(r"\d+(\.\d+)*", one) for one in versions):
            continue
        if numbers(match[1]) >= OLDEST_TENSORFLOW:
            found[match[1]] = {
                "tensorflow": match[1],
                "cuda": ".".join(cells[5].split(".")[:2]),
                "cudnn": cells[4],
                "pythons": list(_pythons(cells[1])),
            }
    return [found[release] for release in sorted(found, key=numbers)]


def _pythons(text: str) -> Iterator[str]:
    """Yield the Pythons of a range such as ``3.9-3.12``, or of a list."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        minors = [int(one.strip().split(".")[1]) for one in (first, last or first)]
        yield from (f"3.{minor}" for minor in range(minors[0], minors[1] + 1))


# From the net to the files


def fetch(url: str) -> str:
    """Return a page."""
    import httpx2

    answer = httpx2.get(url, timeout=TIMEOUT_S, follow_redirects=True)
    answer.raise_for_status()
    return answer.text


def fetch_cuda() -> list[Row]:
    """Return the rows of the image's tags."""
    from cogworks.oci.platform import parse_platform
    from cogworks.oci.reference import parse_reference
    from cogworks.registry.client import Client
    from cogworks.registry.pull import pull_image

    platform = parse_platform("linux/amd64")
    reference = parse_reference("nvidia/cuda:latest")

    def cudnn_of(tag: str) -> str:
        image = pull_image(client, parse_reference(f"nvidia/cuda:{tag}"), platform)
        return image.config.run.env["NV_CUDNN_VERSION"]

    with Client() as client:
        return cuda_rows(client.list_tags(reference.repository), cudnn_of)


def fetch_torch() -> list[Row]:
    """Return the rows of PyTorch's index."""
    page = fetch(TORCH_VERSIONS)
    wheels = {
        folder: torch_wheels(fetch(f"{INDEX}/{folder}/torch/"), folder)
        for folder in torch_folders(page)
    }
    return torch_rows(torch_releases(page), wheels)


def fetch_tensorflow() -> list[Row]:
    """Return the rows of TensorFlow's guide."""
    return tensorflow_rows(fetch(TENSORFLOW_BUILDS))


SOURCES: Mapping[str, Callable[[], list[Row]]] = {
    "cuda": fetch_cuda,
    "torch": fetch_torch,
    "tensorflow": fetch_tensorflow,
}
"""Name of a table -> what fetches its rows."""


def render(rows: Sequence[Row]) -> str:
    """Return the text of a table: a row a line, so that a change reads well."""
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return f"[\n{lines}\n]\n"


def compare(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the names of rows that are new, and of those that are gone."""
    old, new = ([str(next(iter(row.values()))) for row in rows] for rows in (before, after))
    return [name for name in new if name not in old], [name for name in old if name not in new]


def update(name: str, rows: Sequence[Row], folder: Path, *, allow_removals: bool) -> str:
    """Write a table, and return what has changed in it.

    Raises:
        SystemExit: rows would be gone.
    """
    path = folder / f"{name}.json"
    before: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    added, gone = compare(before, rows)
    if gone and not allow_removals:
        raise SystemExit(
            f"error: {name}: {len(gone)} rows would be gone: {', '.join(gone)}. If the source has really "
            "dropped them, use --allow-removals; if its form has changed, so must its parser."
        )
    path.write_text(render(rows), encoding="utf-8")
    changed = sum(row not in before for row in rows) - len(added)
    return f"{name}: {len(rows)} rows, {len(added)} new, {changed} changed, {len(gone)} gone"


def main(arguments: list[str]) -> None:
    """Refresh the tables that are named, or all."""
    parser = argparse.ArgumentParser(prog="scripts/compatibility", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*SOURCES, []], help="all, if none is named")
    parser.add_argument("--allow-removals", action="store_true", help="write it with fewer rows")
    options = parser.parse_args(arguments)
    for name in options.tables or SOURCES:
        print(update(name, SOURCES[name](), DATA, allow_removals=options.allow_removals))
    print("Run scripts/docs: the tables are in docs/gpu.md, too.")


if __name__ == "__main__":
    main(sys.argv[1:])
