"""Measure the static analysis: ``python -m bench.schema``.

Every file is analysed in turn with what Python needs for the same file, so that the ratios hold
on any machine: ``ast.parse``, and ``import``, which compiles and runs it.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.schema.cases import list_cases
from bench.schema.measure import measure_case, measure_command
from bench.schema.report import render_cases, render_command

REPOSITORY = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str]) -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="bench.schema", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="of each; the medians are shown")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        cases = list_cases(REPOSITORY, Path(folder))
        print(render_cases([(case, measure_case(case, rounds)) for case in cases]))
    print()
    print(render_command(*measure_command(REPOSITORY / "examples" / "hello-world", rounds // 3)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
