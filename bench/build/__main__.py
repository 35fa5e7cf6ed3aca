"""Build and push a project beside docker's BuildKit and buildah: ``python -m bench.build``. Linux, as root.

Everybody builds the same project on the same base, whose registry is on loopback; the wheels are in the base, so nobody
downloads. Each round gives every builder a new registry.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.build.builders import (
    OURS,
    Builder,
    BuildFailed,
    Cogworks,
    buildah_builder,
    docker_builder,
)
from bench.build.report import LINKS, render_section
from bench.build.scenarios import (
    SCENARIOS,
    TORCH_COLD,
    Measured,
    measure,
    measure_fresh,
    measure_torch,
)
from bench.build.site import SCIKIT_LEARN, TORCH, Site, fetch_wheels, site
from bench.overhead.environments import InstallFailed, ensure_environment
from bench.overhead.machine import describe_machine
from bench.overhead.options import default_cache_dir
from bench.overhead.results import PLOT_PACKAGES, PLOT_TIMEOUT_S, replace_section
from tests.parts.missing import MissingPart

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOT = Path(__file__).with_name("plot.py")
BEGIN = "<!-- begin: written by bench.build -->"
OURS_COMPILING = f"{OURS}, nothing compiled before"
"""The same, with the compiled modules of packages thrown away, too: somebody's very first build after the downloads."""


def main(arguments: Sequence[str]) -> int:
    """Measure and write the results; return the exit code."""
    options = _parse(arguments)
    cache = options.cache_dir.resolve()
    times: dict[str, dict[str, list[float]]] = {}
    problems: dict[str, str] = {}
    try:
        wheels = fetch_wheels(cache / "build-wheels", SCIKIT_LEARN)
        torch = fetch_wheels(cache / "build-wheels-torch", TORCH) if options.torch else None
        with ExitStack() as stack:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-build-")))
            builders = _builders(stack, work)
            for number in range(options.rounds):
                turn = number % len(builders)
                for builder in builders[turn:] + builders[:turn]:
                    if builder.name in problems:
                        continue
                    say(f"round {number + 1} of {options.rounds}: {builder.name}")
                    course = Course(builder, work, times.setdefault(builder.name, {}))
                    try:
                        course.run(wheels, torch, options.weights_mb)
                    except (BuildFailed, AssertionError, subprocess.SubprocessError) as error:
                        problems[builder.name] = " ".join(f"{error}".split())
                        say(f"  {problems[builder.name]}")
            versions = _versions(builders)
    except MissingPart as error:
        say(f"error: {error}")
        return 1
    ordered = {builder.name: times.get(builder.name, {}) for builder in builders}
    about = {
        "command": shlex.join(["python", "-m", "bench.build", *arguments]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": describe_machine(),
        "rounds": options.rounds,
        "versions": versions,
        "scenarios": {one.key: one.title for one in SCENARIOS},
    }
    _publish(options, about, ordered, problems)
    return 1 if problems else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.build",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="how often each builder goes through all of it")
    add("--weights-mb", type=int, default=1000, help="size of the weights; 0 for none")
    add("--torch", action="store_true", help="also the torch set, if the indexes have its build")
    add("--cache-dir", type=Path, default=default_cache_dir(), help="wheels, and the plot's tool")
    add("--output", type=Path, help="folder of the results; default: CACHE_DIR/results")
    add("--docs", action="store_true", help="write the results into docs/performance.md")
    return parser.parse_args(arguments)


def _builders(stack: ExitStack, work: Path) -> list[Builder]:
    """Return those who take part; one that cannot be had here is left out, and why is said."""
    found: list[Builder] = [
        Cogworks(work / "cache"),
        Cogworks(work / "other-cache", OURS_COMPILING, keeps_bytecode=False),
    ]
    makers: tuple[Callable[[], AbstractContextManager[Builder]], ...] = (
        docker_builder,
        buildah_builder,
    )
    for make in makers:
        try:
            found.append(stack.enter_context(make()))
        except MissingPart as error:
            say(f"left out: {error}")
    return found


@dataclass
class Course:
    """One builder's way through all scenarios, once; a failure ends it and keeps what there is."""

    builder: Builder
    work: Path
    times: dict[str, list[float]]

    def run(self, wheels: Path, torch: Path | None, weights_mb: int) -> None:
        """Measure.

        Raises:
            BuildFailed: the builder failed.
        """
        is_ours = self.builder.name.startswith(OURS)
        with self._site(wheels) as place, self._folder() as project:
            if not self.times and is_ours:
                # What is downloaded once: the server's packages, and for one of the two what is compiled of all.
                self._warm(wheels, measure)
            self._note(measure(self.builder, place, project / "usual", weights_mb * 1_000_000))
            if self.builder.name != OURS_COMPILING:
                # There, nothing is compiled and nothing had to be.
                self._note(measure_fresh(self.builder, place, project / "fresh"))
        if torch is not None:
            if TORCH_COLD.key not in self.times and is_ours:
                self._warm(
                    torch, lambda builder, place, folder, _: measure_torch(builder, place, folder)
                )
            with self._site(torch) as place, self._folder() as project:
                self._note(measure_torch(self.builder, place, project / "torch"))

    def _note(self, measured: Measured) -> None:
        for scenario, seconds in measured:
            self.times.setdefault(scenario.key, []).append(seconds)
            say(f"  {scenario.title}: {seconds:.2f} s")

    def _warm(self, wheels: Path, way: Callable[[Builder, Site, Path, int], Measured]) -> None:
        """Go once for another registry, unmeasured."""
        with self._site(wheels) as place, self._folder() as project:
            for _ in way(self.builder, place, project, 0):
                pass

    @contextmanager
    def _site(self, wheels: Path) -> Generator[Site]:
        with self._folder() as folder, site(folder / "registry", wheels) as place:
            yield place

    @contextmanager
    def _folder(self) -> Generator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="round-", dir=self.work))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _versions(builders: Sequence[Builder]) -> list[str]:
    commands = {
        "docker BuildKit": ["/usr/bin/docker", "--version"],
        "buildah": ["buildah", "--version"],
    }
    found: list[str] = []
    for builder in builders:
        if builder.name in commands:
            done = subprocess.run(
                commands[builder.name], check=False, capture_output=True, encoding="utf-8"
            )
            found.append(done.stdout.strip().partition(" (")[0])
    return found or ["nobody else took part"]


def _publish(
    options: argparse.Namespace,
    about: dict[str, Any],
    times: dict[str, dict[str, list[float]]],
    problems: dict[str, str],
) -> None:
    """Print the table; write the numbers, the plot and, if asked, the page in docs/."""
    section = render_section(about, times, problems)
    print(section)
    output: Path = DOCS if options.docs else options.output or options.cache_dir / "results"
    output.mkdir(parents=True, exist_ok=True)
    rounded = {
        name: {key: [round(one, 3) for one in values] for key, values in own.items()}
        for name, own in times.items()
    }
    document = {**about, "times": rounded, "problems": problems}
    (output / "build.json").write_text(json.dumps(document, indent=1) + "\n")
    try:
        environment = ensure_environment(options.cache_dir, PLOT_PACKAGES, python=sys.executable)
        subprocess.run(
            [environment.python, PLOT, output / "build.json", output / "build.svg"],
            check=True,
            timeout=PLOT_TIMEOUT_S,
            env={"MPLCONFIGDIR": str(options.cache_dir / "matplotlib")},
        )
    except (InstallFailed, subprocess.SubprocessError) as error:
        say(f"the plot cannot be drawn: {error}")
    say(f"written: {output}/build.json and build.svg")
    if options.docs:
        page = DOCS / "performance.md"
        page.write_text(replace_section(page.read_text(), section + LINKS, BEGIN))
        say(f"updated: {page}")


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
