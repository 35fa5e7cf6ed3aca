"""The tables that are printed."""

from bench.schema.cases import Case
from bench.schema.measure import Times


def render_cases(rows: list[tuple[Case, Times]]) -> str:
    """Return a table of the files."""
    lines = [
        "| file | lines | analysis (ms) | against ast.parse | against import |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for case, times in rows:
        by_parse = times.analysis_s / times.parse_s
        by_import = times.analysis_s / times.import_s
        lines.append(
            f"| {case.title} | {case.lines:,} | {times.analysis_s * 1000:.1f}"
            f" | {by_parse:.1f}x | {by_import:.1f}x |"
        )
    return "\n".join(lines)


def render_command(refusal_s: float, start_s: float) -> str:
    """Return a sentence about the command."""
    return (
        f"`cog run` refuses an unknown input after {refusal_s * 1000:.0f} ms of CPU time, "
        f"{refusal_s / start_s:.1f}x what an empty Python takes to start and end."
    )
