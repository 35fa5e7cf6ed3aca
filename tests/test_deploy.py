"""The files of docs/deploy are what they are taken for, and agree with the server, the image, the page and each other."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from cogworks.build.image import DEFAULT_USER, PORT
from cogworks.server.api_document import describe_api
from cogworks.server.service import CANCEL_S, WEBHOOKS_S
from cogworks.server.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "deploy"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.container")])
IMAGE = "registry.example/me/my-model"
PORT_NUMBER = int(PORT.partition("/")[0])
OF_SYSTEMS = frozenset({"HOME"})
"""Variables that are neither the server's nor the command's."""


def yaml(path: Path) -> list[Any]:
    # The library types little of what it returns.
    parser: Any = YAML(typ="safe", pure=True)
    return list(parser.load_all(path.read_text(encoding="utf-8")))


def of_kind(kind: str) -> dict[str, Any]:
    documents = yaml(FOLDER / "kubernetes" / "model.yaml")
    return next(cast("dict[str, Any]", one) for one in documents if one["kind"] == kind)


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = of_kind("Deployment")["spec"]["template"]["spec"]
    return spec


def compose() -> dict[str, Any]:
    service: dict[str, Any] = yaml(FOLDER / "compose.yaml")[0]["services"]["my-model"]
    return service


def fly() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "fly.toml").read_text(encoding="utf-8"))


def unit(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return section -> (name, value) of a unit; names repeat, and lines go on."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, line
            section.append((name, value))
    return found


def variables(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    yield from re.findall(r"^\s*([A-Z][A-Z_]+):? *[=:] ", text, flags=re.MULTILINE)  # YAML, TOML
    yield from re.findall(r"name: ([A-Z][A-Z_]+),", text)
    yield from re.findall(r"(?:Environment=|--env )([A-Z][A-Z_]+)=", text)


def docker_run(text: str) -> list[str]:
    """Return the words of the first `docker run` of a text."""
    match = re.search(r"docker run .*?(?<!\\)$", text, flags=re.DOTALL | re.MULTILINE)
    assert match is not None
    return shlex.split(match.group().replace("\\\n", " "))


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_a_variable_that_is_set_is_one_that_somebody_reads() -> None:
    known = {str(field.metadata["env"]) for field in fields(Settings)} | OF_SYSTEMS
    documented = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    known |= set(re.findall(r"^\| `([A-Z_]+)` \|", documented, flags=re.MULTILINE))
    named = {path.name: set(variables(path)) for path in FILES}
    assert all("COG_SHUTDOWN_GRACE" in names for name, names in named.items() if "kust" not in name)
    assert {name: names - known for name, names in named.items() if names - known} == {}


def test_paths_that_are_asked_are_routes() -> None:
    routes = describe_api({}, "run")["paths"]
    asked = [
        match for path in FILES for match in re.findall(r"/(?:ready|live|met)\w+", path.read_text())
    ]
    asked = [path for path in asked if path != "/metrics"]
    assert set(asked) == {"/livez", "/readyz"}
    assert set(asked) <= set(routes)


def test_ports_are_that_of_the_image() -> None:
    assert Settings().port == PORT_NUMBER
    assert pod()["containers"][0]["ports"] == [{"name": "http", "containerPort": PORT_NUMBER}]
    assert of_kind("Service")["spec"]["ports"][0]["targetPort"] == "http"
    assert compose()["ports"] == [f"127.0.0.1:{PORT_NUMBER}:{PORT_NUMBER}"]
    assert fly()["http_service"]["internal_port"] == PORT_NUMBER
    text = "".join(path.read_text(encoding="utf-8") for path in UNITS)
    published = re.findall(r"(?:PublishPort=|--publish )127\.0\.0\.1:(\d+):(\d+)", text)
    assert published == [(str(PORT_NUMBER), str(PORT_NUMBER))] * 2
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text + PAGE)) == {str(PORT_NUMBER)}


def test_nobody_is_killed_before_the_servers_own_grace_is_over() -> None:
    grace_s = Settings().shutdown_grace_s + CANCEL_S + WEBHOOKS_S
    named = {float(one) for path in FILES for one in graces(path)}
    assert named == {Settings().shutdown_grace_s}
    pre_stop = pod()["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert pod()["terminationGracePeriodSeconds"] > grace_s + float(pre_stop[1])
    assert seconds(compose()["stop_grace_period"]) > grace_s
    assert seconds(fly()["kill_timeout"]) > grace_s
    assert fly()["kill_signal"] == "SIGTERM"
    for path in UNITS:
        service = dict(unit(path)["Service"])
        inner = re.search(r"--(?:stop-timeout=|time )(\d+)", path.read_text(encoding="utf-8"))
        inner_s = float(inner[1]) if inner else grace_s
        assert float(service["TimeoutStopSec"]) > inner_s >= grace_s, path.name


def graces(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    yield from re.findall(r'COG_SHUTDOWN_GRACE(?:=|: "|, value: "| = ")(\d+)', text)


def test_a_pod_is_restricted_and_not_root() -> None:
    user, group = (int(one) for one in DEFAULT_USER.split(":"))
    rights = pod()["securityContext"]
    assert (rights["runAsUser"], rights["runAsGroup"]) == (user, group)
    assert rights["runAsNonRoot"] is True
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    container = pod()["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    assert set(mounted) == {"/tmp", "/dev/shm"}
    assert set(mounted.values()) == {one["name"] for one in pod()["volumes"]}
    ready_file = next(one for one in container["env"] if one["name"] == "COG_READY_FILE")
    assert ready_file["value"].startswith("/tmp/")


def test_probes_wait_for_setup_and_then_ask_apart() -> None:
    container = pod()["containers"][0]
    assert container["startupProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    startup = container["startupProbe"]
    setup_s = startup["periodSeconds"] * startup["failureThreshold"]
    assert f"gives `setup()` {setup_s // 60} minutes" in PAGE
    assert of_kind("Deployment")["spec"]["progressDeadlineSeconds"] > setup_s


def test_selectors_select_the_pod() -> None:
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert of_kind("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("Service")["spec"]["selector"] == labels
    assert of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels


def test_containers_of_every_engine_get_the_same() -> None:
    service = dict(unit(FOLDER / "my-model-docker.service")["Service"])
    page, started = docker_run(PAGE), docker_run(service["ExecStart"])
    ours = {"--detach", "--rm", "--name", "my-model", "--restart", "unless-stopped"}
    ours |= {"--stop-timeout", "60"}
    assert [one for one in page if one not in ours] == [one for one in started if one not in ours]
    said = compose()
    assert (said["read_only"], said["tmpfs"], said["cap_drop"]) == (True, ["/tmp:exec"], ["ALL"])
    assert said["security_opt"] == ["no-new-privileges:true"]
    quadlet = dict(unit(FOLDER / "my-model.container")["Container"])
    assert (quadlet["ReadOnly"], quadlet["Tmpfs"]) == ("true", "/tmp:exec")
    assert (quadlet["DropCapability"], quadlet["NoNewPrivileges"]) == ("ALL", "true")


def test_every_file_is_on_the_page_and_names_no_real_host() -> None:
    for path in FILES:
        name = path.relative_to(FOLDER).as_posix()
        assert f"deploy/{name}" in PAGE or path.parent.name in PAGE, name
        assert not re.search(
            r"(?<!io/)\b[\w-]+\.(?:com|org|net|dev)\b(?!/gpu)", path.read_text()
        ), name
    images = re.findall(r"[\w.]+/me/[\w-]+", PAGE + "".join(path.read_text() for path in FILES))
    assert set(images) == {IMAGE}


def test_the_unit_without_containers_undoes_what_serve_does_for_laptops() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(FOLDER / "my-model.service", encoding="utf-8")
    assert parser["Service"]["KillMode"] == "mixed"
    entries = unit(FOLDER / "my-model.service")["Service"]
    assert ("Environment", "COG_ALLOW_PRIVATE_URLS=0") in entries
    assert dict(entries)["ExecStart"].endswith(f"cog serve --host 127.0.0.1 --port {PORT_NUMBER}")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_systemd_takes_the_units(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    # The programs, and docker's own unit, need not be on this machine.
    text = re.sub(r"^(Exec\w+)=(-?)\S+", r"\1=\2/bin/true", path.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^Requires=docker.*\n| docker\.service", "", text, flags=re.MULTILINE)
    copy = tmp_path / path.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if path.name in line] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kubernetes", "kubernetes-gpu"])
def test_kustomize_renders_the_folders(name: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    parser: Any = YAML(typ="safe", pure=True)
    documents = list(parser.load_all(run("kubectl", "kustomize", str(FOLDER / name))))
    deployment = next(one for one in documents if one["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"{IMAGE}:v1"
    has_gpu = "nvidia.com/gpu" in container["resources"]["limits"]
    assert has_gpu is (name == "kubernetes-gpu")
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"


@pytest.mark.slow
def test_compose_takes_the_file() -> None:
    compose = next(
        (one for one in (["docker", "compose"], ["docker-compose"]) if _works(one)), None
    )
    if compose is None:
        pytest.skip("docker compose is not installed")
    assert f"{IMAGE}:v1" in run(*compose, "--file", str(FOLDER / "compose.yaml"), "config")


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    version = subprocess.run([*command, "version"], capture_output=True, check=False)
    return version.returncode == 0
