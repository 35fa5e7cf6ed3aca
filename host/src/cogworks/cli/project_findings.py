"""What can be found wrong with a project without making its environment: every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.cli.findings import Finding, Severity
from cogworks.oci.errors import quoted

if TYPE_CHECKING:
    from cogworks.project import Examined, Problem, Project
    from cogworks.schema import SchemaError

PLACE = re.compile(r"(?P<file>[^:\s]+):(?P<line>[0-9]+): (?P<rest>.*)", re.DOTALL)
"""How our sentences begin that name a place."""


def config_findings(examined: Examined) -> Iterator[Finding]:
    """Find what is wrong with cog.yaml, and what it warns of."""
    path = examined.known.config_path
    for problems, severity, code in (
        (examined.problems, Severity.ERROR, "config"),
        (examined.warnings, Severity.WARNING, "config-deprecated"),
    ):
        for problem in problems:
            message = f"{problem.key}: {problem.message}" if problem.key else problem.message
            column = _column(path, problem)
            yield Finding(message, code, severity, path.name, problem.line, column)


def reference_findings(project: Project) -> Iterator[Finding]:
    """Find references to files that are not there, and a project without a model."""
    config = project.config_path.name
    for mode, ref in references(project).items():
        path = ref.partition(":")[0]
        if not (project.directory / path).is_file():
            hint = f"Create {path} or update the {mode} field in {config}"
            line = project.lines.get(mode, 0)
            yield Finding(f"{path} not found", "missing-file", file=config, line=line, hint=hint)
    if not references(project):
        hint = 'Add a line such as run: "run.py:Runner".'
        yield Finding("nothing to run", "missing-model", file=config, line=1, hint=hint)


def name_findings(project: Project) -> Iterator[Finding]:
    """Find names of images that no registry would take."""
    from cogworks.oci.errors import InvalidReferenceError
    from cogworks.oci.reference import parse_reference

    for key, name in (("image", project.image), ("model", project.model)):
        try:
            parse_reference(name or "none")
        except InvalidReferenceError as error:
            line = project.lines.get(key, 0)
            file = project.config_path.name
            yield Finding(
                f"{key}: {error}", "config", file=file, line=line, column=1 if line else 0
            )


def weight_findings(project: Project) -> Iterator[Finding]:
    """Find folders of weights that are not there; what is elsewhere is not looked at."""
    for number, weight in enumerate(project.weights):
        for index, source in enumerate(weight.sources):
            scheme, separator, rest = source.uri.partition("://")
            if separator and scheme != "file":
                continue
            folder = rest if separator else source.uri
            if not (project.directory / folder).is_dir():
                place = f"weights[{number}].source[{index}].uri"
                yield Finding(
                    f'weights "{weight.name}": the folder {folder} does not exist',
                    "missing-file",
                    file=project.config_path.name,
                    line=project.lines.get(place, project.lines.get(f"weights[{number}]", 0)),
                )


def schema_findings(project: Project) -> Iterator[Finding]:
    """Find everything that is wrong with the signatures of the model and of the training."""
    from cogworks.schema import find_problems

    for mode, ref in references(project).items():
        if not (project.directory / ref.partition(":")[0]).is_file():
            continue  # It is said once already.
        kind = "train" if mode == "train" else "run"
        found = find_problems(project.directory, ref, kind)
        yield from map(schema_finding, found)
        if not found and kind == "run":
            yield from _concurrency_findings(project)


def _concurrency_findings(project: Project) -> Iterator[Finding]:
    from dataclasses import replace

    from cogworks.schema import SchemaError, describe

    try:
        describe(replace(project, train=None))
    except SchemaError as error:
        line = project.lines.get("concurrency.max", 0)
        yield Finding(
            error.reason,
            "schema",
            file=project.config_path.name,
            line=line,
            hint=error.advice,
        )


def schema_finding(error: SchemaError) -> Finding:
    """Return the finding for an error of static analysis."""
    excerpt = ""
    if error.source_line.strip():
        indent = len(error.source_line) - len(error.source_line.lstrip())
        source = error.source_line.strip().replace("\t", " ")
        excerpt = f"{source}\n{' ' * (error.column - indent)}{'^' * max(1, error.width)}"
    column = error.column + 1 if error.line else 0
    return Finding(
        error.reason,
        "schema",
        file=error.file,
        line=error.line,
        column=column,
        hint=error.advice,
        excerpt=excerpt,
    )


def requirement_findings(project: Project) -> Iterator[Finding]:
    """Find what cannot be taken from a requirements file, and what is left out."""
    from cogworks.engines.inputs import read_requirements
    from cogworks.project import RequirementsError

    source = project.build.requirements_file
    if source is not None and source.suffix == ".toml":
        return
    try:
        requirements = read_requirements(project)
    except RequirementsError as error:
        for file, problem in error.problems:
            line = _requirement_line(project, file, problem.line)
            yield Finding(problem.message, "requirements", file=file, line=line)
        return
    for notice in requirements.notices:
        match = PLACE.fullmatch(notice)
        if match is None:
            yield Finding(notice, "requirements-ours", Severity.WARNING)
            continue
        line = _requirement_line(project, match["file"], int(match["line"]))
        yield Finding(match["rest"], "requirements-ours", Severity.WARNING, match["file"], line)


def gpu_findings(project: Project) -> Iterator[Finding]:
    """Find what does not fit together of CUDA, cuDNN and the frameworks; what an image would be built on."""
    from cogworks.engines.requirement_lines import requirement_lines
    from cogworks.project import RequirementsError
    from cogworks.project.base_choice import BaseOptions, examine_base

    if not project.build.gpu:
        return
    try:
        lines = requirement_lines(project)
    except RequirementsError:
        return  # Each of its problems is a finding already.
    choice = examine_base(project, lines, BaseOptions())
    for problems, severity in (
        (choice.problems, Severity.ERROR),
        (choice.warnings, Severity.WARNING),
    ):
        for problem in problems:
            column = _column(project.config_path, problem)
            name = project.config_path.name
            message = f"{problem.key}: {problem.message}"
            yield Finding(message, "gpu", severity, name, problem.line, column)


def resolution_findings(project: Project, error: Exception) -> Iterator[Finding]:
    """Find why uv cannot resolve the requirements, with the line if it names one.

    uv stops at the first line that is no requirement; the others are found here.
    """
    from cogworks.engines.errors import ResolutionError

    source = project.build.requirements_file
    name = project.config_path.name if source is None else source.name
    blamed = _blamed_line(project, str(error))
    code = "requirements" if isinstance(error, ResolutionError) else "environment"
    yield Finding(str(error), code, file=name, line=blamed)
    if "Couldn't parse" not in str(error):
        return
    for line, text in _numbered_requirements(project):
        if line != blamed and not _is_requirement(text):
            yield Finding(f"{quoted(text)} is no requirement", code, file=name, line=line)


def references(project: Project) -> Mapping[str, str]:
    """Return the references of cog.yaml by the key that they have there."""
    run = "predict" if "predict" in project.lines and "run" not in project.lines else "run"
    given = {run: project.run, "train": project.train}
    return {name: ref for name, ref in given.items() if ref is not None}


def _column(path: Path, problem: Problem) -> int:
    """Return the column of a key in its line; 0 if it is not written there."""
    name = re.sub(r"\[[0-9]+\]$", "", problem.key.rpartition(".")[2])
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return 0
    if not name or not 0 < problem.line <= len(lines):
        return 0
    return lines[problem.line - 1].find(name) + 1


def _requirement_line(project: Project, file: str, line: int) -> int:
    """Return the line in cog.yaml of a requirement that stands there: it was counted as an item."""
    if file != project.config_path.name:
        return line
    return project.lines.get(f"build.python_packages[{line - 1}]", line)


def _blamed_line(project: Project, message: str) -> int:
    """Return the line of the first requirement that the message names; 0 if there is none."""
    named = {word.lower().replace("_", "-") for word in re.findall(r"[A-Za-z0-9._-]+", message)}
    for number, text in _numbered_requirements(project):
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text.lstrip("\"' "))
        if match is not None and match[0].lower().replace("_", "-") in named:
            return number
    return 0


def _numbered_requirements(project: Project) -> list[tuple[int, str]]:
    """Return the requirements of a project, and the lines where they stand."""
    from cogworks.project.errors import TextError
    from cogworks.project.files import read_text
    from cogworks.project.requirements import logical_lines

    source = project.build.requirements_file
    if source is None:
        packages = enumerate(project.build.python_packages)
        return [(project.lines.get(f"build.python_packages[{n}]", 0), t) for n, t in packages]
    try:
        return list(logical_lines(read_text(source)))
    except TextError:
        return []


def _is_requirement(text: str) -> bool:
    """Tell whether a line may be one; options, paths and URLs are not judged."""
    from packaging.requirements import InvalidRequirement, Requirement

    if text.startswith("-") or "/" in text or text.endswith((".whl", ".zip", ".gz")):
        return True
    try:
        Requirement(re.sub(r"\s+--hash[= ]\S+", "", text))
    except InvalidRequirement:
        return False
    return True
