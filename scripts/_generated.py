"""The generated parts of the documentation; ``scripts/docs`` calls this.

A page marks a part with a comment, ``<!-- generated: settings -->``, and ends it with ``<!-- end -->``; what is between
them is written from the code. Some files are written whole. ``--check`` writes nothing and names what is not current.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from cogworks.project.compatibility import cuda_images, tensorflow_builds, torch_builds
from cogworks.project.config_schema import config_schema
from cogworks.server.settings import Settings
from scripts import _config_tables

ROOT = Path(__file__).resolve().parents[1]
PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end -->)", flags=re.DOTALL
)


class PartError(Exception):
    """A page marks a part that nothing here can write."""


def settings_table() -> str:
    """Return the table of the server's environment variables, in the order of their declaration."""
    rows = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for field in dataclasses.fields(Settings):
        variable = field.metadata["env"]
        if variable:
            default = "" if field.default is None else f"`{field.default}`"
            rows.append(f"| `{variable}` | {default} | {field.metadata['help']} |")
    return "\n".join(rows)


def cuda_table() -> str:
    """Return the table of CUDA images: a row for each CUDA version."""
    rows = ["| CUDA | cuDNN | Ubuntu |", "| --- | --- | --- |"]
    for (cuda, cudnn), images in groupby(cuda_images(), key=lambda one: (one.cuda, one.cudnn)):
        rows.append(f"| {cuda} | {cudnn} | {', '.join(image.ubuntu for image in images)} |")
    return "\n".join(rows)


def torch_table() -> str:
    """Return the table of PyTorch releases: a row for each, newest first."""
    rows = [
        "| torch | torchvision | torchaudio | builds | Python |",
        "| --- | --- | --- | --- | --- |",
    ]
    releases = groupby(torch_builds(), key=lambda one: one.torch.partition("+")[0])
    for release, builds in reversed([(name, list(found)) for name, found in releases]):
        last = builds[-1]
        names = ", ".join(one.cuda or "CPU" for one in builds)
        vision, audio = (text.partition("+")[0] for text in (last.torchvision, last.torchaudio))
        rows.append(f"| {release} | {vision} | {audio} | {names} | {', '.join(last.pythons)} |")
    return "\n".join(rows)


def tensorflow_table() -> str:
    """Return the table of TensorFlow releases, newest first."""
    rows = ["| tensorflow | CUDA | cuDNN | Python |", "| --- | --- | --- | --- |"]
    for build in reversed(tensorflow_builds()):
        pythons = ", ".join(build.pythons)
        rows.append(f"| {build.tensorflow} | {build.cuda} | {build.cudnn} | {pythons} |")
    return "\n".join(rows)


RENDERERS: Mapping[str, Callable[[], str]] = {
    "cuda-images": cuda_table,
    "settings": settings_table,
    "tensorflow-builds": tensorflow_table,
    "torch-builds": torch_table,
    "keys-build": _config_tables.keys_of_build,
    "keys-model": _config_tables.keys_of_model,
    "keys-serving": _config_tables.keys_of_serving,
    "keys-weights": _config_tables.keys_of_weights,
    "reserved-names": _config_tables.reserved_names,
    "deprecated-keys": _config_tables.deprecated_keys,
}
"""Name of a part -> what writes it."""


def schema_of_config() -> str:
    """Return the JSON Schema of cog.yaml, as `cog schema --config` prints it."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


FILES: Mapping[str, Callable[[], str]] = {"docs/cog.schema.json": schema_of_config}
"""Path of a file that is generated whole -> what writes it."""


def rendered(text: str) -> str:
    """Return a page's text with its generated parts written anew.

    Raises:
        PartError: a part has no writer.
    """

    def write(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in RENDERERS:
            known = ", ".join(sorted(RENDERERS))
            raise PartError(f"nothing writes the part `{name}`; there are: {known}")
        return f"{match['start']}{RENDERERS[name]()}\n{match['end']}"

    return PART.sub(write, text)


def main(arguments: list[str]) -> int:
    """Write or check everything; return 1 if a check found something that is not current."""
    if arguments not in ([], ["--check"]):
        print("usage: scripts/docs [--check]", file=sys.stderr)
        return 2
    stale = 0
    for path, after in _everything():
        if isinstance(after, PartError):
            print(f"{path.relative_to(ROOT)}: {after}", file=sys.stderr)
            stale += 1
        elif path.is_file() and path.read_text(encoding="utf-8") == after:
            continue
        elif arguments:
            stale += 1
            print(f"{path.relative_to(ROOT)} is not current; run scripts/docs", file=sys.stderr)
        else:
            path.write_text(after, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale else 0


def _everything() -> Iterator[tuple[Path, str | PartError]]:
    """Yield every file that has generated parts, or is generated, with the text that it should have."""
    for name, write in FILES.items():
        yield ROOT / name, write()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        try:
            yield page, rendered(page.read_text(encoding="utf-8"))
        except PartError as error:
            yield page, error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
