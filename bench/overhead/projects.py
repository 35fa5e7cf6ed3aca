"""The no-op text model, written for each family of servers; one synchronous, one asynchronous.

The sources are text, not modules: each needs a library that only its own environment has.
"""

import shutil
import subprocess
from pathlib import Path

from bench.overhead.environments import InstallFailed
from bench.overhead.peers import CONCURRENCY

RENDER_SCHEMA = """\
import json, pathlib
from cogworks.project import load_project
from cogworks.schema import describe
print(json.dumps(describe(load_project(pathlib.Path.cwd()))))
"""

COG_MODEL = """\
from cog import BasePredictor, Input


class Predictor(BasePredictor):
    {async_}def predict(self, text: str = Input(description="Any text")) -> str:
        return "hello " + text
"""

COG_YAML = """\
build:
  python_version: "3.11"
predict: "predict.py:Predictor"
"""

COG_YAML_ASYNC = f"{COG_YAML}concurrency:\n  max: {CONCURRENCY}\n"

LITSERVE_MODEL = """\
import sys

import litserve


class Api(litserve.LitAPI):
    def setup(self, device):
        pass

    {async_}def decode_request(self, request):
        return request["input"]["text"]

    {async_}def predict(self, text):
        return "hello " + text

    {async_}def encode_response(self, output):
        return {{"output": output}}


if __name__ == "__main__":
    api = Api(enable_async={is_async})
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
"""

BENTOML_MODEL = """\
import bentoml


@bentoml.service(workers=1, logging={{"access": {{"enabled": False}}}})
class Noop:
    @bentoml.api
    {async_}def predict(self, text: str) -> str:
        return "hello " + text
"""


def write_projects(directory: Path) -> None:
    """Write ``<family>-sync`` and ``<family>-async`` into an empty ``directory``."""
    shutil.rmtree(directory, ignore_errors=True)
    for mode in ("sync", "async"):
        words = {"async_": "async " if mode == "async" else "", "is_async": mode == "async"}
        yaml = COG_YAML_ASYNC if mode == "async" else COG_YAML
        files = {
            f"cog-{mode}/cog.yaml": yaml,
            f"cog-{mode}/predict.py": COG_MODEL.format(**words),
            f"litserve-{mode}/app.py": LITSERVE_MODEL.format(**words),
            f"bentoml-{mode}/service.py": BENTOML_MODEL.format(**words),
        }
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def render_schema(python: Path, project: Path) -> str:
    """Return a project's OpenAPI document, rendered by the Python that has our packages."""
    done = subprocess.run(
        [python, "-c", RENDER_SCHEMA], cwd=project, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise InstallFailed(f"the schema cannot be rendered: {done.stderr[-300:]}")
    return done.stdout


def write_schema(project: Path, document: str) -> None:
    """Put an OpenAPI document where an image would have it, so that inputs are validated."""
    path = project / ".cog" / "openapi_schema.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(document)
