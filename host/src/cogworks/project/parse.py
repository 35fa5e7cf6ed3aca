"""The text of a ``cog.yaml`` -> a ``Project``, or all its problems at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from cogworks.project.checks import check
from cogworks.project.document import DocumentError, read_document
from cogworks.project.errors import ConfigError, Problem, quote
from cogworks.project.model import (
    DEFAULT_PYTHON_VERSION,
    Build,
    Project,
    RunCommand,
    SecretMount,
    Weight,
    WeightSource,
)
from cogworks.project.walk import Values, walk

PYPROJECT = "pyproject.toml"


class Files(Protocol):
    """What the configuration needs to know about the files beside it."""

    def is_file(self, path: Path) -> bool:
        """Tell whether there is a regular file."""
        ...

    def has_dependencies(self, pyproject: Path) -> bool:
        """Tell whether there is a ``pyproject.toml`` with a ``[project]`` table."""
        ...


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything that is known of a configuration, also of one with problems.

    ``known`` is the project itself if there are no problems; else it has what can be trusted: the
    references, the packages and the lines.
    """

    known: Project
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def parse_project(text: str, config_path: Path, files: Files) -> Project:
    """Return the project that the text describes.

    Raises:
        ConfigError: with every problem of the text.
    """
    examined = examine_text(text, config_path, files)
    if examined.problems:
        raise ConfigError(config_path.name, examined.problems)
    return examined.known


def examine_text(text: str, config_path: Path, files: Files) -> Examined:
    """Return what the text describes, and all of its problems."""
    try:
        root, problems = read_document(text)
    except DocumentError as error:
        return Examined(Project(config_path.parent, config_path), (error.problem,))
    values = walk(root)
    values.problems.extend(problems)
    check(values)
    requirements_file = _find_requirements(values, config_path.parent, files)
    warnings = tuple(sorted(values.warnings))
    if values.problems:
        known = _assemble_known(values, config_path, requirements_file, files)
        return Examined(known, tuple(sorted(values.problems)), warnings)
    return Examined(_assemble(values, config_path, requirements_file), (), warnings)


def _find_requirements(values: Values, directory: Path, files: Files) -> Path | None:
    """Return the file that names the model's packages, as given or by convention."""
    given = values.texts.get("build.python_requirements")
    if given is not None:
        path = directory / given
        if not files.is_file(path):
            values.complain("build.python_requirements", f"{quote(given)}: file does not exist")
        elif path.suffix == ".toml" and path.name != PYPROJECT:
            message = f"{quote(given)}: must be a requirements file or a pyproject.toml"
            values.complain("build.python_requirements", message)
        return path
    pyproject = directory / PYPROJECT
    if values.counts.get("build.python_packages") or not files.has_dependencies(pyproject):
        return None
    return pyproject


def _assemble(values: Values, config_path: Path, requirements_file: Path | None) -> Project:
    texts = values.texts
    limit, workers = texts.get("concurrency.max"), texts.get("workers")
    pairs = (entry.partition("=") for entry in values.list_of_texts("environment"))
    return Project(
        directory=config_path.parent,
        config_path=config_path,
        build=_build(values, requirements_file),
        run=texts.get("run", texts.get("predict")),
        train=texts.get("train"),
        environment=tuple((name, value) for name, _, value in pairs),
        concurrency_max=None if limit is None else int(limit),
        workers=None if workers is None else int(workers),
        image=texts.get("image"),
        model=texts.get("model"),
        weights=tuple(
            _weight(values, f"weights[{index}]") for index in range(values.counts.get("weights", 0))
        ),
        warnings=_render(values.warnings, config_path.name),
        lines=MappingProxyType(values.lines),
    )


def _assemble_known(
    values: Values, config_path: Path, requirements_file: Path | None, files: Files
) -> Project:
    """Return what a configuration with problems still says for certain."""
    is_there = requirements_file is not None and files.is_file(requirements_file)
    return Project(
        directory=config_path.parent,
        config_path=config_path,
        build=Build(
            python_version=values.texts.get("build.python_version", DEFAULT_PYTHON_VERSION),
            requirements_file=requirements_file if is_there else None,
            python_packages=values.list_of_texts("build.python_packages"),
        ),
        run=values.texts.get("run", values.texts.get("predict")),
        train=values.texts.get("train"),
        lines=MappingProxyType(values.lines),
    )


def _render(warnings: list[Problem], filename: str) -> tuple[str, ...]:
    return tuple(warning.render(filename) for warning in sorted(warnings))


def _build(values: Values, requirements_file: Path | None) -> Build:
    texts = values.texts
    return Build(
        python_version=texts.get("build.python_version", DEFAULT_PYTHON_VERSION),
        requirements_file=requirements_file,
        python_packages=values.list_of_texts("build.python_packages"),
        system_packages=values.list_of_texts("build.system_packages"),
        run=tuple(
            _command(values, f"build.run[{index}]")
            for index in range(values.counts.get("build.run", 0))
        ),
        pre_install=values.list_of_texts("build.pre_install"),
        gpu=values.flags.get("build.gpu", False),
        cuda=texts.get("build.cuda"),
        cudnn=texts.get("build.cudnn"),
        sdk_version=texts.get("build.sdk_version"),
        base_image=texts.get("build.base_image"),
        user=texts.get("build.user"),
        weight_patterns=values.list_of_texts("build.weights"),
        lock=values.flags.get("build.lock", False),
    )


def _command(values: Values, place: str) -> RunCommand:
    if place in values.texts:
        return RunCommand(values.texts[place].strip("\r\n"))
    mounts = (
        f"{place}.mounts[{index}]" for index in range(values.counts.get(f"{place}.mounts", 0))
    )
    return RunCommand(
        values.texts[f"{place}.command"].strip("\r\n"),
        tuple(
            SecretMount(values.texts[f"{mount}.id"], values.texts[f"{mount}.target"])
            for mount in mounts
        ),
    )


def _weight(values: Values, place: str) -> Weight:
    sources = (f"{place}.source[{index}]" for index in range(values.counts[f"{place}.source"]))
    return Weight(
        name=values.texts[f"{place}.name"],
        target=values.texts[f"{place}.target"],
        sources=tuple(
            WeightSource(
                uri=values.texts[f"{source}.uri"],
                include=values.list_of_texts(f"{source}.include"),
                exclude=values.list_of_texts(f"{source}.exclude"),
            )
            for source in sources
        ),
    )
