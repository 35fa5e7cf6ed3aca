"""``python -m cogworks.server``: the server of an image, told by the environment what to serve."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from cogworks import _version
from cogworks.errors import CogworksError
from cogworks.server.launch import WorkerLaunch
from cogworks.server.serve import serve
from cogworks.server.settings import Settings, parse_web_url

SCHEMA_FILE = Path(".cog/openapi_schema.json")
"""Where an image keeps the OpenAPI document of its model, below the working directory."""

CONFIG_FILE = Path("cog.yaml")

REFERENCES = {"run": "COG_PREDICT_TYPE_STUB", "train": "COG_TRAIN_TYPE_STUB"}
"""The variables that name the model (``run.py:Runner``); without them, ``cog.yaml`` does."""


class StartError(CogworksError):
    """The server was not told what it needs to know."""


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and the environment, serve, return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _serve(options, os.environ)
    except CogworksError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _serve(options: argparse.Namespace, environment: os._Environ[str]) -> int:
    settings = dataclasses.replace(
        Settings.from_environment(environment),
        host=options.host,
        await_explicit_shutdown=options.await_explicit_shutdown,
        reload_on_hangup=options.reload_on_hangup,
    )
    if options.upload_url:
        settings = dataclasses.replace(settings, upload_url=options.upload_url)
    if options.store:
        settings = dataclasses.replace(settings, store=options.store)
    from cogworks.server import log

    log.configure(settings.log_format, settings.log_level)
    mode = "run" if options.x_mode == "predict" else options.x_mode
    launch = WorkerLaunch(
        python=Path(options.python),
        sdk_tree=_sdk_tree(options),
        project_dir=Path.cwd(),
        ref=environment.get(REFERENCES[mode], ""),
        mode=mode,
        environment=dict(environment),
    )
    if not launch.ref:
        settings, launch = _complete_by_project(settings, launch)
    document = _read_document(environment.get("COG_OPENAPI_SCHEMA"))
    announce = _say_nothing if options.no_announce else _announcement(settings)
    return serve(settings, launch, document, announce=announce)


def _complete_by_project(settings: Settings, launch: WorkerLaunch) -> tuple[Settings, WorkerLaunch]:
    """Take from ``cog.yaml`` what an image has in variables: for a server that is started by hand."""
    name = REFERENCES[launch.mode]
    if not CONFIG_FILE.is_file():
        raise StartError(
            f'{name} is not set; it names the model to serve, such as "run.py:Runner". There is no '
            f"{CONFIG_FILE} here either"
        )
    from cogworks.project.files import load_project

    project = load_project(launch.project_dir)
    ref = project.train if launch.mode == "train" else project.run
    if not ref:
        raise StartError(f"{name} is not set, and {CONFIG_FILE} has no `{launch.mode}`")
    is_given = "COG_WORKERS" in launch.environment
    settings = dataclasses.replace(
        settings,
        max_concurrency=settings.max_concurrency or project.concurrency_max,
        workers=settings.workers if is_given else project.workers or 1,
    )
    environment = {**dict(project.environment), **launch.environment}
    return settings, dataclasses.replace(launch, ref=ref, environment=environment)


def _read_document(given: str | None = None) -> dict[str, Any] | None:
    """Return the document that the image carries, or that of a file; without one the worker's own is used."""
    file = Path(given) if given else SCHEMA_FILE
    try:
        document: Any = json.loads(file.read_text())
    except FileNotFoundError:
        if given:
            raise StartError(f"COG_OPENAPI_SCHEMA: there is no file {file}") from None
        return None
    except ValueError as error:
        raise StartError(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StartError(f"{file} does not hold a JSON object")
    return cast("dict[str, Any]", document)


def _sdk_tree(options: argparse.Namespace) -> Path:
    if options.sdk_tree:
        return Path(options.sdk_tree)
    from platformdirs import user_cache_path

    from cogworks.server.sdk_tree import materialize

    return materialize(Path(os.environ.get("COG_CACHE_DIR") or user_cache_path("cogworks")))


def _announcement(settings: Settings) -> Callable[[str], None]:
    """Return what tells the address; whoever wants warnings only knows it, unless the port is a free one."""
    is_wanted = settings.log_level in ("debug", "info") or settings.port == 0
    return _announce if is_wanted else _say_nothing


def _say_nothing(url: str) -> None:
    """Somebody else tells the address."""


def _announce(url: str) -> None:
    print(f"Starting Cogworks server on {url}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cogworks.server", description=__doc__)
    parser.add_argument("-v", "--version", action="version", version=_version.__version__)
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (0.0.0.0)")
    parser.add_argument(
        "--await-explicit-shutdown",
        type=_truth,
        nargs="?",
        const=True,
        default=False,
        help="ignore SIGTERM until POST /shutdown",
    )
    parser.add_argument(
        "--reload-on-hangup", action="store_true", help="replace the workers at SIGHUP"
    )
    parser.add_argument(
        "--no-announce", action="store_true", help="do not print the address; it is another outside"
    )
    parser.add_argument("--x-mode", choices=("run", "predict", "train"), default="run")
    parser.add_argument("--store", help="where finished predictions are kept: sqlite:///FILE")
    parser.add_argument(
        "--upload-url",
        type=parse_web_url,
        help="where output files are sent by PUT (COG_UPLOAD_URL)",
    )
    parser.add_argument("--threads", type=int, help="accepted, without effect")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the model")
    parser.add_argument("--sdk-tree", help="the folder to start workers from")
    return parser


def _truth(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, got {text[:80]}")


if __name__ == "__main__":
    sys.exit(main())
