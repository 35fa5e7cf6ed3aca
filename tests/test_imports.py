"""Which layer may import which: the table of house style, and the culprit by name.

A line reads ``host/src/cogworks/oci/tar.py:7: cogworks.oci may not import cogworks.cli``. When a layer is added, it
gets a row here and in docs/architecture.md.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (ROOT / "sdk" / "src", ROOT / "host" / "src")

SDK_DATA = frozenset({"cog", "cog._schema"})
HOST_CORE = frozenset(
    {
        "cogworks.build",
        "cogworks.engines",
        "cogworks.housekeeping",
        "cogworks.oci",
        "cogworks.project",
        "cogworks.registry",
        "cogworks.repeat",
        "cogworks.schema",
        "cogworks.server",
    }
)

LAYERS: Mapping[str, frozenset[str]] = {
    # What authors import, and the types as data.
    "cog": SDK_DATA,
    "cog._schema": SDK_DATA,
    # Messages, frames, limits: pure.
    "cog._bridge": frozenset(),
    # setup() and run(), under the model's Python.
    "cog._worker": SDK_DATA | {"cog._bridge"},
    # `python -m cog.server.http` hands over to the host's server in another process; `exceptions` is an old name.
    "cog.server": frozenset({"cog"}),
    "cogworks": frozenset(),
    "cogworks.errors": frozenset(),
    "cogworks.project": frozenset(),
    "cogworks.oci": frozenset(),
    "cogworks.schema": frozenset({"cog._schema", "cogworks.project"}),
    "cogworks.engines": frozenset({"cogworks.project"}),
    "cogworks.server": frozenset({"cog._bridge", "cog._schema", "cogworks.project"}),
    # build -> registry -> oci, rightwards only.
    "cogworks.registry": frozenset({"cogworks.oci"}),
    "cogworks.build": frozenset(
        {
            "cogworks.engines",
            "cogworks.oci",
            "cogworks.project",
            "cogworks.registry",
            "cogworks.schema",
        }
    ),
    # A build or a push that was made before.
    "cogworks.repeat": frozenset(
        {
            "cogworks.build",
            "cogworks.engines",
            "cogworks.oci",
            "cogworks.project",
            "cogworks.registry",
            "cogworks.schema",
        }
    ),
    # What of all caches may go.
    "cogworks.housekeeping": frozenset({"cogworks.build", "cogworks.engines", "cogworks.oci"}),
    # Fakes that users' tests may use too.
    "cogworks.testing": HOST_CORE | {"cog._bridge", "cog._schema"},
    # Everything; and nothing imports it.
    "cogworks.cli": HOST_CORE | {"cog._bridge", "cog._schema", "cog"},
    "cogworks.__main__": frozenset({"cogworks.cli"}),
}
"""Layer -> the layers it may import besides itself; a module belongs to the longest name that fits."""

FOR_ALL = frozenset({"cog._version", "cogworks._version", "cogworks.errors"})
"""What each layer of the same distribution, or of the host, may import too."""

PURE = ("cog._bridge", "cog._schema", "cogworks.oci", "cogworks.project", "cogworks.schema")
IMPURE_MODULES = frozenset(
    {
        *("asyncio", "logging", "multiprocessing", "random", "secrets", "select", "selectors"),
        *("signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time"),
        *("http", "httpx2", "httptools", "starlette", "urllib.request"),
    }
)
"""Sockets, processes, clocks, threads, randomness and logging: pure layers get values instead."""


@dataclass(frozen=True)
class Module:
    """One file of the sources."""

    name: str
    path: Path
    text: str

    @property
    def layer(self) -> str:
        return layer_of(self.name)

    @property
    def package(self) -> str:
        is_package = self.path.name == "__init__.py"
        return self.name if is_package else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Import:
    """One imported name: ``target`` is a module, or ``module.name`` where that cannot be told apart."""

    target: str
    line: int
    inside_function: bool
    for_types_only: bool


def layer_of(name: str) -> str:
    parts = name.split(".")
    prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next(prefix for prefix in prefixes if prefix in LAYERS)


def imports_of(module: Module) -> Iterator[Import]:
    yield from _walk(ast.parse(module.text), module, inside_function=False, for_types_only=False)


def _walk(
    node: ast.AST, module: Module, *, inside_function: bool, for_types_only: bool
) -> Iterator[Import]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for target in _targets(node, module):
            yield Import(target, node.lineno, inside_function, for_types_only)
    is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    is_type_block = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from _walk(
            child,
            module,
            inside_function=inside_function or is_function,
            for_types_only=for_types_only or is_type_block,
        )


def _targets(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        anchor = module.package.split(".")[: len(module.package.split(".")) - node.level + 1]
        base = ".".join([*anchor, *([base] if base else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)


def is_ours(target: str) -> bool:
    return target.split(".")[0] in {"cog", "cogworks"}


def is_allowed(module: Module, target: str) -> bool:
    if any(target == name or target.startswith(f"{name}.") for name in FOR_ALL):
        return module.name.startswith("cogworks") or target.startswith("cog.")
    return layer_of(target) in LAYERS[module.layer] | {module.layer}


def layer_culprits(modules: list[Module]) -> list[str]:
    return [
        f"{where(module, found)}: {module.layer} may not import {found.target}"
        for module in modules
        for found in imports_of(module)
        if is_ours(found.target) and not is_allowed(module, found.target)
    ]


def where(module: Module, found: Import) -> str:
    return f"{module.path.relative_to(ROOT)}:{found.line}"


def source(name: str, text: str) -> Module:
    return Module(name, ROOT / "made" / "up.py", text)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return [
        Module(module_name(path, base), path, path.read_text(encoding="utf-8"))
        for base in SOURCES
        for path in sorted(base.rglob("*.py"))
    ]


def module_name(path: Path, base: Path) -> str:
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_layers_import_only_what_the_table_allows(modules: list[Module]) -> None:
    assert "\n".join(layer_culprits(modules)) == ""


def test_every_package_of_the_host_has_a_row(modules: list[Module]) -> None:
    packages = {".".join(module.name.split(".")[:2]) for module in modules if "." in module.package}
    without_row = {name for name in packages if name.startswith("cogworks") and name not in LAYERS}
    assert without_row == set()


NEWER = frozenset({"annotationlib"})
"""Modules of the standard library since Python 3.14, which the Python that runs this may not know."""


def test_sdk_imports_only_the_standard_library(modules: list[Module]) -> None:
    culprits = [
        f"{where(module, found)}: {found.target} is not in the standard library"
        for module in modules
        if module.name.split(".")[0] == "cog"
        for found in imports_of(module)
        # Type checkers know typing_extensions by themselves; at run time it is not there.
        if not (found.for_types_only and found.target.startswith("typing_extensions."))
        if found.target.split(".")[0] not in sys.stdlib_module_names | NEWER | {"cog"}
    ]
    assert "\n".join(culprits) == ""


def test_the_command_starts_without_loading_its_work(modules: list[Module]) -> None:
    """Commands import their work inside their function, so that ``cog --help`` answers at once."""
    by_name = {module.name: module for module in modules}
    loaded = reachable("cogworks.cli.start", by_name) | reachable("cogworks.cli.main", by_name)
    culprits = [
        f"{where(by_name[name], found)}: import {found.target} inside the command function"
        for name in sorted(loaded)
        for found in load_time_imports(by_name[name])
        if not is_light(found.target)
    ]
    assert "\n".join(culprits) == ""


def is_light(target: str) -> bool:
    if is_ours(target):
        light = (
            "cogworks.cli",
            "cogworks.errors",
            "cogworks._version",
            "cogworks.repeat.call",
            "cogworks.repeat.files",
        )
        return target.startswith(light)
    return target.split(".")[0] in sys.stdlib_module_names | {"click"}


def reachable(start: str, by_name: Mapping[str, Module]) -> set[str]:
    """Return the modules that importing ``start`` loads."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported_at_load(by_name[name], set(by_name))
    return seen


def load_time_imports(module: Module) -> Iterator[Import]:
    for found in imports_of(module):
        if not found.inside_function and not found.for_types_only:
            yield found


def test_pure_layers_import_nothing_that_acts(modules: list[Module]) -> None:
    culprits = [
        f"{where(module, found)}: {module.layer} is pure and may not import {found.target}"
        for module in modules
        if module.layer in PURE
        for found in imports_of(module)
        if is_impure(found.target)
    ]
    assert "\n".join(culprits) == ""


def is_impure(target: str) -> bool:
    return any(target == name or target.startswith(f"{name}.") for name in IMPURE_MODULES)


def test_no_module_takes_part_in_an_import_cycle(modules: list[Module]) -> None:
    names = {module.name for module in modules}
    graph = {module.name: imported_at_load(module, names) for module in modules}
    cycles = [" -> ".join([*path, path[0]]) for path in find_cycles(graph)]
    assert "\n".join(cycles) == ""


def imported_at_load(module: Module, names: set[str]) -> set[str]:
    found = {resolve(item.target, names) for item in load_time_imports(module)}
    return {name for name in found if name and name != module.name}


def resolve(target: str, names: set[str]) -> str:
    """Return the module that ``target`` is or lies in; empty if it is not one of ours."""
    if target in names:
        return target
    parent = target.rpartition(".")[0]
    return parent if parent in names else ""


def find_cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return one path for each cycle that a depth-first walk meets."""
    cycles: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            cycles.append(path[path.index(name) :])
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return cycles


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cogworks.oci.tar", "import cogworks.cli.main"),
        ("cogworks.oci.tar", "def f():\n    from cogworks.registry import client"),
        ("cogworks.registry.client", "from cogworks import build"),
        ("cogworks.server.app", "from cog import Path"),
        ("cogworks.server.app", "from cog._worker.main import main"),
        ("cog._bridge.frames", "from ..errors import CogError"),
        ("cog.input", "from cogworks.errors import CogworksError"),
    ],
)
def test_a_forbidden_import_is_named_in_every_spelling(name: str, text: str) -> None:
    assert len(layer_culprits([source(name, text)])) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cogworks.server.app", "from cog._bridge.messages import Predict"),
        ("cogworks.server.app", "from cogworks.errors import CogworksError"),
        ("cogworks.server.app", "from .settings import Settings"),
        ("cogworks.registry.client", "from cogworks.oci import digest"),
        ("cog._worker.loader", "from cog import BaseRunner"),
        ("cog.input", "import re, typing"),
    ],
)
def test_an_allowed_import_passes(name: str, text: str) -> None:
    assert layer_culprits([source(name, text)]) == []


def test_a_cycle_is_found() -> None:
    assert find_cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]


def test_a_call_that_was_made_before_loads_little() -> None:
    """What a build without changes takes is the time to start Python, and to load these."""
    code = (
        "import sys; before = set(sys.modules); import cogworks.cli.repeat, cogworks.cli.start; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    own = {name for name in loaded if name.partition(".")[0] in ("cog", "cogworks")}
    packages = {name.rpartition(".")[0] for name in own}
    assert packages <= {"", "cogworks", "cogworks.cli", "cogworks.repeat", "cogworks.build"}
    assert {name for name in own if name.startswith("cogworks.build.")} == {
        "cogworks.build.revision"
    }
    assert {name.partition(".")[0] for name in loaded - own} <= set(sys.stdlib_module_names)
    heavy = {
        "asyncio",
        "dataclasses",
        "http",
        "inspect",
        "pathlib",
        "socket",
        "ssl",
    }
    assert heavy & loaded == set()


def test_the_server_starts_without_what_only_some_requests_and_commands_need() -> None:
    heavy = ("starlette", "anyio", "click", "rich", "httpx2")
    code = f"import sys, cogworks.server.lifetime; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_worker_is_started_before_the_servers_own_parts_are_loaded() -> None:
    heavy = (
        "cog",
        "msgspec",
        "uvloop",
        "asyncio",
        "jsonschema_rs",
        "cogworks.server.service",
    )
    modules = "cogworks.server.__main__, cogworks.server.log, cogworks.server.serve"
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
