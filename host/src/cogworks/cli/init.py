"""`cog init`: three small files that run as they are."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cogworks.cli.errors import ProjectNotWritable
from cogworks.cli.options import CONTEXT_SETTINGS, global_options
from cogworks.cli.state import State

CONFIG = """\
# What the model needs and where it is.

build:
  # Whether the image gets CUDA.
  gpu: false

  # The Python of the model; `cog` itself may run on another one.
  python_version: "{python_version}"

  # The packages of the model, one a line.
  python_requirements: requirements.txt

  # Debian packages for the image:
  # system_packages:
  #   - ffmpeg

# The class that predicts: file.py:Name.
run: "run.py:Runner"
"""

REQUIREMENTS = """\
# One package a line, best with an exact version: the same environment every time.
pillow>=10
"""

MODEL = '''\
"""A model to start from: it resizes a picture."""

import tempfile

from PIL import Image

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def setup(self) -> None:
        """Runs once, before the first prediction: load the weights here."""
        self.filter = Image.LANCZOS

    def run(
        self,
        image: Path = Input(description="Picture to resize"),
        scale: float = Input(description="Factor to resize by", ge=0, le=10, default=1.5),
    ) -> Path:
        """Runs for each prediction; the parameters are the inputs that a user gives."""
        with Image.open(image) as picture:
            width, height = (max(1, round(side * scale)) for side in picture.size)
            resized = picture.convert("RGB").resize((width, height), self.filter)
        output = Path(tempfile.mkdtemp()) / "output.png"
        resized.save(output)
        return output
'''

HINT = """
Next, make a picture and double its size (or take a picture of yours):

  cog exec python -c 'from PIL import Image; Image.radial_gradient("L").save("photo.png")'
  cog run -i image=@photo.png -i scale=2 -o out.png
"""

HELP = """Start a project in this folder.

Writes cog.yaml, requirements.txt and run.py; a file that exists is left as it is.

\b
Examples:
  mkdir my-model && cd my-model && cog init
"""


@click.command("init", help=HELP, context_settings=CONTEXT_SETTINGS)
@global_options
@click.pass_obj
def command(state: State) -> None:
    """Start a project in this folder."""
    python_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    files = {
        "cog.yaml": CONFIG.format(python_version=python_version),
        "requirements.txt": REQUIREMENTS,
        "run.py": MODEL,
    }
    created = [_write_new(Path(name), text, state) for name, text in files.items()]
    if all(created):
        click.echo(HINT, err=True)


def _write_new(path: Path, text: str, state: State) -> bool:
    """Write a file unless there is one; return whether it was written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        state.console.info(f"Skipped existing {path}")
        return False
    except OSError as error:
        raise ProjectNotWritable(f"cannot write {path}: {error.strerror}") from error
    state.console.info(f"Creating {path}")
    return True
