"""Every key of ``cog.yaml``, declared once: its place, its kind, its rule, and what it is for.

Paths are dotted; ``[]`` stands for the items of a list: ``build.run[].mounts[].id``. The walker (``walk.py``) follows
this table, and the documentation (docs/cog-yaml.md) and the JSON Schema for editors (``config_schema.py``) are made from
it.
"""

from __future__ import annotations

from cogworks.project.key import Key, Kind
from cogworks.project.rule import AtLeast, Choice
from cogworks.project.rules import (
    COMMAND,
    CUDA_VERSION,
    CUDNN_VERSION,
    ENVIRONMENT,
    FILE_PATTERN,
    IMAGE,
    NOT_EMPTY,
    PATH_PATTERN,
    PYTHON_VERSION,
    REPOSITORY,
    SDK_VERSION,
    USER,
    WEIGHT_NAME,
    WEIGHT_TARGET,
    reference,
)

_TEXT = (Kind.TEXT,)
_VERSION = (Kind.VERSION,)
_FLAG = (Kind.FLAG,)
_INTEGER = (Kind.INTEGER,)
_LIST = (Kind.LIST,)
_MAPPING = (Kind.MAPPING,)

KEYS: tuple[Key, ...] = (
    Key("build", _MAPPING, "What the model's environment is made of."),
    Key("build.gpu", _FLAG, "Whether the model needs a GPU.", default="false"),
    Key(
        "build.python_version",
        _VERSION,
        "The Python that runs the model, such as 3.11.",
        rule=PYTHON_VERSION,
        required=True,
        example='"3.12"',
    ),
    Key(
        "build.python_requirements",
        _TEXT,
        "A requirements file or a pyproject.toml, relative to the project.",
        example="requirements.txt",
    ),
    Key(
        "build.python_packages",
        _LIST,
        "Packages to install, one requirement each.",
        replacement="build.python_requirements",
    ),
    Key(
        "build.python_packages[]",
        _TEXT,
        "A requirement such as numpy==2.1.0.",
        example="numpy==2.1.0",
    ),
    Key("build.system_packages", _LIST, "Debian packages to install in the image."),
    Key(
        "build.system_packages[]",
        _TEXT,
        "The name of a Debian package.",
        rule=NOT_EMPTY,
        example="ffmpeg",
    ),
    Key("build.run", _LIST, "Commands to run while the image is built, after the installation."),
    Key(
        "build.run[]",
        (Kind.TEXT, Kind.MAPPING),
        "A command, or a mapping with command and mounts.",
        rule=COMMAND,
        example="python -m nltk.downloader punkt",
    ),
    Key(
        "build.run[].command",
        _TEXT,
        "The command.",
        rule=COMMAND,
        required=True,
        example="hf download org/model --local-dir /opt/model",
    ),
    Key("build.run[].mounts", _LIST, "Secrets that the command may read."),
    Key("build.run[].mounts[]", _MAPPING, "One secret."),
    Key(
        "build.run[].mounts[].type",
        _TEXT,
        "The kind of mount: secret.",
        rule=Choice(("secret",)),
        required=True,
        example="secret",
    ),
    Key(
        "build.run[].mounts[].id",
        _TEXT,
        "The id given to --secret.",
        rule=NOT_EMPTY,
        required=True,
        example="token",
    ),
    Key(
        "build.run[].mounts[].target",
        _TEXT,
        "Where the command finds it.",
        rule=NOT_EMPTY,
        required=True,
        example="/run/secrets/token",
    ),
    Key(
        "build.pre_install",
        _LIST,
        "Commands to run while the image is built.",
        replacement="build.run",
    ),
    Key("build.pre_install[]", _TEXT, "A command.", rule=COMMAND, example="echo hello"),
    Key(
        "build.cuda",
        _VERSION,
        "The CUDA version of the image.",
        rule=CUDA_VERSION,
        example='"12.4"',
    ),
    Key(
        "build.cudnn",
        _VERSION,
        "The major version of cuDNN in the image.",
        rule=CUDNN_VERSION,
        example='"9"',
    ),
    Key(
        "build.sdk_version",
        _VERSION,
        "The version of the format's SDK that the model was written for.",
        rule=SDK_VERSION,
        example='"0.17.0"',
    ),
    Key(
        "build.base_image",
        _TEXT,
        "The image to build upon; without it, an official Python image.",
        rule=IMAGE,
        example="registry.example/python:3.12-slim",
        own=True,
    ),
    Key(
        "build.user",
        (Kind.TEXT, Kind.INTEGER),
        "Who runs the model in a container: a name or an id, with :group if need be; root for root.",
        rule=USER,
        default="1000:1000",
        example="root",
        own=True,
    ),
    Key(
        "build.weights",
        _LIST,
        "Patterns of the files that get image layers of their own.",
        own=True,
    ),
    Key(
        "build.weights[]",
        _TEXT,
        "A pattern, in the language of a .dockerignore.",
        rule=PATH_PATTERN,
        example='"**/*.safetensors"',
        own=True,
    ),
    Key(
        "build.lock",
        _FLAG,
        "Whether the exact packages are kept beside this file, in pylock.cog.toml.",
        default="false",
        example="true",
        own=True,
    ),
    Key(
        "image",
        _TEXT,
        "The name of the image that is built.",
        rule=NOT_EMPTY,
        example="registry.example/me/my-model",
    ),
    Key(
        "model",
        _TEXT,
        "The repository that the model is pushed to, without a tag.",
        rule=REPOSITORY,
        example="registry.example/me/my-model",
    ),
    Key(
        "run",
        _TEXT,
        "The class or function that predicts.",
        rule=reference("run.py:Runner"),
        example="run.py:Runner",
    ),
    Key(
        "predict",
        _TEXT,
        "The older name of run.",
        rule=reference("predict.py:Predictor"),
        replacement="run",
        example="predict.py:Predictor",
    ),
    Key(
        "train",
        _TEXT,
        "The class or function that trains.",
        rule=reference("train.py:Trainer"),
        example="train.py:Trainer",
    ),
    Key("concurrency", _MAPPING, "How many predictions may run at once."),
    Key(
        "concurrency.max",
        _INTEGER,
        "The most predictions that an async model runs at once.",
        rule=AtLeast(1),
        replacement="the @cog.concurrent(max=N) decorator",
        example="4",
    ),
    Key(
        "concurrency.default_target",
        _INTEGER,
        "A hint for an autoscaler; it changes nothing here.",
        ignored=True,
        example="4",
    ),
    Key(
        "workers",
        _INTEGER,
        "How many processes serve the model, each loading it for itself.",
        rule=AtLeast(1),
        default="1",
        example="2",
        own=True,
    ),
    Key("environment", _LIST, "Environment variables of the model."),
    Key(
        "environment[]",
        _TEXT,
        "NAME=value.",
        rule=ENVIRONMENT,
        private=True,
        example="HF_HOME=/tmp/hf",
    ),
    Key("weights", _LIST, "Weights that are stored beside the image."),
    Key("weights[]", _MAPPING, "One set of weights."),
    Key(
        "weights[].name",
        _TEXT,
        "The name of the set.",
        rule=WEIGHT_NAME,
        required=True,
        example="base-model",
    ),
    Key(
        "weights[].target",
        _TEXT,
        "The folder where the model finds it.",
        rule=WEIGHT_TARGET,
        required=True,
        example="/weights/base",
    ),
    Key(
        "weights[].source",
        _LIST,
        "Where it comes from: one mapping or a list of them.",
        required=True,
        single=True,
    ),
    Key("weights[].source[]", _MAPPING, "One place."),
    Key(
        "weights[].source[].uri",
        _TEXT,
        "A folder or a URL.",
        rule=NOT_EMPTY,
        required=True,
        example="hf://org/model",
    ),
    Key("weights[].source[].include", _LIST, "Patterns of the files to take."),
    Key(
        "weights[].source[].include[]",
        _TEXT,
        "A pattern.",
        rule=FILE_PATTERN,
        example='"*.safetensors"',
    ),
    Key("weights[].source[].exclude", _LIST, "Patterns of the files to leave."),
    Key("weights[].source[].exclude[]", _TEXT, "A pattern.", rule=FILE_PATTERN, example='"*.onnx"'),
)

BY_PATH: dict[str, Key] = {key.path: key for key in KEYS}


def children_of(path: str) -> dict[str, Key]:
    """Return the keys directly below ``path`` by name; the empty path is the top of the file."""
    return {key.name: key for key in KEYS if key.path.rpartition(".")[0] == path and _is_named(key)}


def _is_named(key: Key) -> bool:
    return not key.path.endswith("[]")
