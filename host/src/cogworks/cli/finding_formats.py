"""Findings as text for people, as JSON, and as annotations of GitHub Actions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cogworks.cli.findings import Finding, Severity

COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def render_text(findings: Sequence[Finding]) -> str:
    """Return a paragraph for each finding; whoever prints it removes the colours if need be."""
    return "".join(f"{_paragraph(finding)}\n" for finding in findings)


def render_json(findings: Sequence[Finding]) -> str:
    """Return a JSON array of objects."""
    values = [finding.as_json() for finding in findings]
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def render_github(findings: Sequence[Finding], directory: Path, environ: Mapping[str, str]) -> str:
    """Return workflow commands, one a line; files are relative to the checked-out repository.

    Source: GitHub's documentation, "Workflow commands", "Setting an error message".
    """
    root = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
    return "".join(f"{_command(finding, directory, root)}\n" for finding in findings)


def _paragraph(finding: Finding) -> str:
    place = f"{click.style(finding.place, bold=True)}: " if finding.place else ""
    severity = click.style(f"{finding.severity.value}:", fg=COLORS[finding.severity])
    code = click.style(f"[{finding.code}]", dim=True)
    first, *more = finding.message.splitlines() or [""]
    lines = [f"{place}{severity} {first} {code}"]
    lines += [f"    {line}" for line in [*more, *finding.excerpt.splitlines()]]
    lines += [f"    {line}" for line in finding.hint.splitlines()]
    return "\n".join(lines)


def _command(finding: Finding, directory: Path, root: Path) -> str:
    properties: dict[str, str] = {}
    if finding.file:
        properties["file"] = _relative(directory / finding.file, root)
    if finding.line:
        properties["line"] = str(finding.line)
    if finding.column:
        properties["col"] = str(finding.column)
    properties["title"] = f"cog check: {finding.code}"
    text = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    message = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    return f"::{finding.severity.value} {text}::{_escape(message)}"


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
