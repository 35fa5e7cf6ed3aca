"""What ``/openapi.json`` says is so: schemathesis derives requests from it, right and wrong, and checks the answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SEED = 1
EXAMPLES = 25
BOUND_S = 80.0

TOKENS = """
from typing import Iterator, Optional
from cog import BaseRunner, ConcatenateIterator, Input, streaming
class Runner(BaseRunner):
    @streaming
    def run(self, prompt: Optional[str] = None, count: int = Input(default=3, ge=0, le=5)) -> ConcatenateIterator[str]:
        for index in range(count):
            print("token", index)
            yield f"{prompt} {index} "
"""

SHAPES = """
from typing import Dict, List, Optional
from cog import BaseModel, BaseRunner, Input, Path
class Shape(BaseModel):
    name: str
    corners: List[int]
    colour: Optional[str] = None
class Runner(BaseRunner):
    def run(self, names: List[str], sides: int = Input(choices=[3, 4]), file: Path = None, broken: bool = False) -> Optional[List[Shape]]:
        if broken:
            raise ValueError("broken, as asked")
        if not names:
            return None
        return [Shape(name=name, corners=[sides]) for name in names]
"""

TRAINER = """
from cog import BaseModel, Input, Path
class Trained(BaseModel):
    weights: Path
def train(steps: int = Input(default=1, ge=1, le=9), rate: float = Input(default=0.1, ge=0, le=1)) -> Trained:
    weights = Path("/tmp/weights.txt")
    weights.write_text("trained")
    return Trained(weights=weights)
"""


def schemathesis(server: Any, folder: Path, *arguments: str) -> str:
    """Run it on a server; return what it says."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
        *("--seed", str(SEED), "--max-examples", str(EXAMPLES), "--generation-database", "none"),
        *("--checks", "all", "--no-color", "--request-timeout", "10"),
        # DELETE is the end of a run, not of what is known of it.
        *("--exclude-checks", "use_after_free"),
        # The others need the server.
        *("--exclude-path", "/shutdown", *arguments),
    ]
    environment = {
        **{k: v for k, v in os.environ.items() if "proxy" not in k.lower()},
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        timeout=BOUND_S,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def check_thorough(said: str) -> None:
    """Demand that it tried what there is to try."""
    assert "13 selected / 14 total" in said, said
    count = re.search(r"(\d+) generated, (\d+) passed", said)
    assert count is not None, said
    assert int(count[1]) > 300
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅ +{phase}", said), said


def test_a_model_with_inputs_of_every_kind(launch_server: Any, tmp_path: Path) -> None:
    server = launch_server("takes_everything")
    check_thorough(schemathesis(server, tmp_path))
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("source", [TOKENS, SHAPES], ids=["iterator", "objects"])
def test_a_model_with_an_output_of_parts(launch_server: Any, tmp_path: Path, source: str) -> None:
    (tmp_path / "run.py").write_text(source)
    server = launch_server(str(tmp_path))
    check_thorough(schemathesis(server, tmp_path))


def test_a_trainer_behind_a_token(launch_server: Any, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINER)
    server = launch_server(
        str(tmp_path),
        *("--x-mode", "train"),
        COG_TRAIN_TYPE_STUB="train.py:train",
        COG_API_TOKEN="geheim",
    )
    check_thorough(schemathesis(server, tmp_path, "--header", "Authorization: Bearer geheim"))


def test_a_document_that_is_not_true_is_found_out(launch_server: Any, tmp_path: Path) -> None:
    folder = tmp_path / ".cog"
    folder.mkdir()
    (tmp_path / "run.py").write_text("def run(text: str = '') -> str:\n    return text\n")
    wrong = {"Input": {"type": "object"}, "Output": {"type": "integer"}}
    (folder / "openapi_schema.json").write_text(
        json.dumps({"openapi": "3.0.2", "components": {"schemas": wrong}})
    )
    server = launch_server(str(tmp_path), ref="run.py:run")
    with pytest.raises(AssertionError, match="Response violates schema"):
        schemathesis(server, tmp_path)
