"""`cog doctor`: what is wrong with a project and the machine, and the repair of what can be repaired."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cogworks.cli.errors import CheckFailed
from cogworks.cli.findings import Finding, count_findings, has_errors
from cogworks.cli.options import CONTEXT_SETTINGS, file_option, global_options
from cogworks.cli.prepare import find_cache_dir
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.cli.checkup.check import Check, Context, Result

HELP = """Find what is wrong with the project and with this machine.

With --fix, what can be repaired is: older names and imports are rewritten, and what broken
builds left in the cache is removed. Each change is shown; comments stay. The exit code is 1 if
errors are left.

\b
Examples:
  cog doctor
  cog doctor --fix
  COG_SKIP_GPU_CHECK=1 cog doctor       without asking for GPUs
"""
COLORS = {"error": "red", "warning": "yellow", "ok": "green", "fixed": "green", "skipped": None}

FINDING, REMEDY = " " * 6, " " * 8
"""How far lines are indented; not further, so that long ones are still read at 80 columns."""

MIN_WIDTH = 30
"""A terminal narrower than this breaks the lines itself."""


@dataclass(frozen=True)
class Outcome:
    """What one check came to: its findings, what was fixed, and whether ``--fix`` would help."""

    left: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    can_fix: bool = False


@click.command("doctor", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.option("--fix", "is_fixing", is_flag=True, help="Repair what can be repaired.")
@file_option
@global_options
@click.pass_obj
def command(state: State, is_fixing: bool, config_name: str) -> None:
    """Examine the project in this folder, and this machine."""
    from cogworks.cli.checkup.check import Context
    from cogworks.cli.checkup.checks import CHECKS

    context = Context(Path.cwd(), config_name, state.environ, find_cache_dir(state.environ))
    report = Report(state)
    report.line(f"Running cog doctor{' --fix' if is_fixing else ''}...")
    outcomes: list[Outcome] = []
    group = ""
    for check in CHECKS:
        if check.group != group:
            group = check.group
            report.line(f"\n{click.style(group, bold=True)}")
        # A fix may have changed what the next check looks at.
        context = context.renewed()
        outcomes.append(examine(check, context, report, is_fixing=is_fixing))
    report.line("")
    _conclude(outcomes, report)


def examine(check: Check, context: Context, report: Report, *, is_fixing: bool) -> Outcome:
    """Run one check, and its fix if it is wanted; to find the changes changes nothing."""
    from cogworks.cli.checkup.check import CannotFix

    result = check.find(context)
    if not result.findings or check.fix is None:
        report.result(check, result)
        return Outcome(left=result.findings)
    try:
        changes = check.fix(context)
        if not is_fixing:
            report.result(check, result)
            return Outcome(left=result.findings, can_fix=True)
        difference = changes.diff(context.directory)
        changes.apply()
    except CannotFix as reason:
        report.result(check, result, f"Change it by hand (no auto-fix available: {reason})")
        return Outcome(left=result.findings)
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        report.result(check, result, f"Not fixed, nothing was changed: {what}.")
        return Outcome(left=result.findings)
    left = check.find(context.renewed())
    fixed = tuple(finding for finding in result.findings if finding not in left.findings)
    report.fixed(check, difference, fixed)
    if left.findings:
        report.result(check, left)
    return Outcome(left.findings, fixed)


class Report:
    """Writes the report on standard error, as the format has it."""

    def __init__(self, state: State) -> None:
        self._color = state.console.color

    def line(self, text: str) -> None:
        """Write one line."""
        click.echo(text, err=True, color=self._color)

    def result(self, check: Check, result: Result, refusal: str = "") -> None:
        """Write the status of a check, and its findings below."""
        status = _status(result)
        note = result.note if not result.findings else ""
        self._status(status, check.description, note)
        for number, finding in enumerate(result.findings):
            self._paragraph(FINDING, _describe(finding))
            following = result.findings[number + 1 : number + 2]
            if not refusal and not (following and following[0].hint == finding.hint):
                hint = finding.hint
                text = f"Remediation: {hint}" if hint else "(no auto-fix available)"
                self._paragraph(REMEDY, text)
        if refusal:
            self._paragraph(REMEDY, refusal)
        for detail in result.details:
            self._paragraph(FINDING, detail)

    def fixed(self, check: Check, difference: str, findings: Sequence[Finding]) -> None:
        """Write what was done: the difference of texts, or else what is gone."""
        self._status("fixed", f"Fixed: {check.description}")
        for line in difference.splitlines():
            color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            self.line(f"{FINDING}{click.style(line, fg=color)}")
        for finding in findings if not difference else ():
            self._paragraph(FINDING, _describe(finding))

    def _status(self, status: str, description: str, note: str = "") -> None:
        text = f"{description} ({note})" if note else description
        wrapped = _wrap(f"  {status:<9}", text, " " * 13)
        self.line(wrapped.replace(status, click.style(status, fg=COLORS[status]), 1))

    def _paragraph(self, indent: str, text: str) -> None:
        self.line(_wrap(indent, text, f"{indent}  "))


def _wrap(first: str, text: str, following: str) -> str:
    """Return the text broken between words for a terminal; a pipe gets one line."""
    if not sys.stderr.isatty():
        return f"{first}{text}"
    width = max(MIN_WIDTH, shutil.get_terminal_size().columns)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def _status(result: Result) -> str:
    if result.is_skipped:
        return "skipped"
    if has_errors(result.findings):
        return "error"
    return "warning" if result.findings else "ok"


def _describe(finding: Finding) -> str:
    return f"{finding.place} — {finding.message}" if finding.place else finding.message


def _conclude(outcomes: Sequence[Outcome], report: Report) -> None:
    left = [finding for outcome in outcomes for finding in outcome.left]
    fixed = sum(len(outcome.fixed) for outcome in outcomes)
    if fixed:
        report.line(f"Fixed {fixed} issue{'' if fixed == 1 else 's'}.")
    can_fix = any(outcome.can_fix for outcome in outcomes)
    advice = ' Run "cog doctor --fix" to auto-fix.' if can_fix else ""
    summary = f"Found {count_findings(left)}.{advice}"
    if has_errors(left):
        raise CheckFailed(summary)
    if left:
        report.line(summary)
    elif not fixed:
        report.line("no issues found")
