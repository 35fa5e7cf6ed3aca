"""Every key of ``cog.yaml``, declared once: its place, its kind, its rule, and what it is for.

Paths are dotted; ``[]`` stands for the items of a list: ``build.run[].mounts[].id``. The walker
(``walk.py``) follows this table, and documentation and JSON Schema can be made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cogworks.project.rules import (
    IMAGE,
    NOT_EMPTY,
    AtLeast,
    Check,
    Choice,
    Pattern,
    Rule,
    check_command,
    check_cuda,
    check_environment,
    check_file_pattern,
    check_path_pattern,
    check_python_version,
    check_repository,
    check_sdk_version,
    check_user,
    check_weight_target,
)


class Kind(Enum):
    """What a value may be; the text is used in messages."""

    TEXT = "text"
    VERSION = "a version"  # text, or a bare number whose digits are kept as written
    FLAG = "true or false"
    INTEGER = "a whole number"
    LIST = "a list"
    MAPPING = "a mapping"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: ``kinds`` lists what its value may be, ``replacement`` what a deprecated key became.

    ``single`` allows one mapping where a list of mappings is meant. ``ignored`` keys are accepted
    because older projects have them; they change nothing. Values of ``private`` keys may be
    secret and are never quoted in messages.
    """

    path: str
    kinds: tuple[Kind, ...]
    help: str
    rule: Rule | None = None
    required: bool = False
    replacement: str = ""
    single: bool = False
    ignored: bool = False
    private: bool = False

    @property
    def name(self) -> str:
        """The last part of the path, as it is written in the file."""
        return self.path.rpartition(".")[2]


def _reference(example: str) -> Pattern:
    message = f"must be in the form '{example}'"
    return Pattern(r"(?:(?!\.py:).)+\.py:(?:(?!\.py:).)+", message)


_TEXT = (Kind.TEXT,)
_VERSION = (Kind.VERSION,)
_LIST = (Kind.LIST,)
_MAPPING = (Kind.MAPPING,)

KEYS: tuple[Key, ...] = (
    Key("build", _MAPPING, "What the model's environment is made of."),
    Key("build.gpu", (Kind.FLAG,), "Whether the model needs a GPU (default: false)."),
    Key(
        "build.python_version",
        _VERSION,
        "The Python that runs the model, such as 3.11.",
        rule=Check(check_python_version),
        required=True,
    ),
    Key(
        "build.python_requirements",
        _TEXT,
        "A requirements file or a pyproject.toml, relative to the project.",
    ),
    Key(
        "build.python_packages",
        _LIST,
        "Packages to install, one requirement each.",
        replacement="build.python_requirements",
    ),
    Key("build.python_packages[]", _TEXT, "A requirement such as numpy==2.1.0."),
    Key("build.system_packages", _LIST, "Debian packages to install in the image."),
    Key("build.system_packages[]", _TEXT, "The name of a Debian package.", rule=NOT_EMPTY),
    Key("build.run", _LIST, "Commands to run while the image is built, after the installation."),
    Key(
        "build.run[]",
        (Kind.TEXT, Kind.MAPPING),
        "A command, or a mapping with command and mounts.",
        rule=Check(check_command),
    ),
    Key("build.run[].command", _TEXT, "The command.", rule=Check(check_command), required=True),
    Key("build.run[].mounts", _LIST, "Secrets that the command may read."),
    Key("build.run[].mounts[]", _MAPPING, "One secret."),
    Key(
        "build.run[].mounts[].type",
        _TEXT,
        "The kind of mount: secret.",
        rule=Choice(("secret",)),
        required=True,
    ),
    Key(
        "build.run[].mounts[].id",
        _TEXT,
        "The id given to --secret.",
        rule=NOT_EMPTY,
        required=True,
    ),
    Key(
        "build.run[].mounts[].target",
        _TEXT,
        "Where the command finds it.",
        rule=NOT_EMPTY,
        required=True,
    ),
    Key(
        "build.pre_install",
        _LIST,
        "Commands to run while the image is built.",
        replacement="build.run",
    ),
    Key("build.pre_install[]", _TEXT, "A command.", rule=Check(check_command)),
    Key("build.cuda", _VERSION, "The CUDA version of the image.", rule=Check(check_cuda)),
    Key(
        "build.cudnn",
        _VERSION,
        "The major version of cuDNN in the image.",
        rule=Pattern(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}", "must be a cuDNN version such as '9'"),
    ),
    Key(
        "build.sdk_version",
        _VERSION,
        "The version of the format's SDK that the model was written for.",
        rule=Check(check_sdk_version),
    ),
    Key(
        "build.base_image",
        _TEXT,
        "The image to build upon (default: an official Python image).",
        rule=IMAGE,
    ),
    Key(
        "build.user",
        (Kind.TEXT, Kind.INTEGER),
        "Who runs the model in a container: a name or an id, with :group if need be; root for root (default: 1000:1000).",
        rule=Check(check_user),
    ),
    Key("build.weights", _LIST, "Patterns of the files that get image layers of their own."),
    Key(
        "build.weights[]",
        _TEXT,
        "A pattern such as **/*.safetensors, in the language of a .dockerignore.",
        rule=Check(check_path_pattern),
    ),
    Key(
        "build.lock",
        (Kind.FLAG,),
        "Whether the exact packages are kept beside this file, in pylock.cog.toml (default: false).",
    ),
    Key("image", _TEXT, "The name of the image that is built.", rule=NOT_EMPTY),
    Key(
        "model",
        _TEXT,
        "The repository that the model is pushed to, without a tag.",
        rule=Check(check_repository),
    ),
    Key("run", _TEXT, "The class or function that predicts.", rule=_reference("run.py:Runner")),
    Key(
        "predict",
        _TEXT,
        "The older name of run.",
        rule=_reference("predict.py:Predictor"),
        replacement="run",
    ),
    Key("train", _TEXT, "The class or function that trains.", rule=_reference("train.py:Trainer")),
    Key("concurrency", _MAPPING, "How many predictions may run at once."),
    Key(
        "concurrency.max",
        (Kind.INTEGER,),
        "The most predictions that an async model runs at once.",
        rule=AtLeast(1),
        replacement="the @cog.concurrent(max=N) decorator",
    ),
    Key(
        "concurrency.default_target",
        (Kind.INTEGER,),
        "A hint for an autoscaler; it changes nothing here.",
        ignored=True,
    ),
    Key(
        "workers",
        (Kind.INTEGER,),
        "How many processes serve the model, each loading it for itself (default: 1).",
        rule=AtLeast(1),
    ),
    Key("environment", _LIST, "Environment variables of the model."),
    Key("environment[]", _TEXT, "NAME=value.", rule=Check(check_environment), private=True),
    Key("weights", _LIST, "Weights that are stored beside the image."),
    Key("weights[]", _MAPPING, "One set of weights."),
    Key(
        "weights[].name",
        _TEXT,
        "The name of the set.",
        rule=Pattern(
            r"[a-z0-9]+([._-][a-z0-9]+)*",
            "must be lower-case letters and digits, separated by single '.', '_' or '-'",
        ),
        required=True,
    ),
    Key(
        "weights[].target",
        _TEXT,
        "The folder where the model finds it.",
        rule=Check(check_weight_target),
        required=True,
    ),
    Key(
        "weights[].source",
        _LIST,
        "Where it comes from: one mapping or a list of them.",
        required=True,
        single=True,
    ),
    Key("weights[].source[]", _MAPPING, "One place."),
    Key("weights[].source[].uri", _TEXT, "A folder or a URL.", rule=NOT_EMPTY, required=True),
    Key("weights[].source[].include", _LIST, "Patterns of the files to take."),
    Key("weights[].source[].include[]", _TEXT, "A pattern.", rule=Check(check_file_pattern)),
    Key("weights[].source[].exclude", _LIST, "Patterns of the files to leave."),
    Key("weights[].source[].exclude[]", _TEXT, "A pattern.", rule=Check(check_file_pattern)),
)

BY_PATH: dict[str, Key] = {key.path: key for key in KEYS}


def children_of(path: str) -> dict[str, Key]:
    """Return the keys directly below ``path`` by name; the empty path is the top of the file."""
    return {key.name: key for key in KEYS if key.path.rpartition(".")[0] == path and _is_named(key)}


def _is_named(key: Key) -> bool:
    return not key.path.endswith("[]")
