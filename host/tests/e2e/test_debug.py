"""`cog debug`: Docker builds what it writes, without asking any index, and comes to what `cog build` makes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.parts.container import container
from tests.parts.dockerd import Docker
from tests.parts.engine import Engine

from .conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.network]

ODD = {
    "PLAIN": "one",
    "SPACES": "  two  words ",
    "SHELL": "$HOME ${X:-y} `date` \\ # ; | & * ~",
    "QUOTES": "it's \"quoted\" and 'more'",
    "JSON": '{"$ref": "#/x", "path": "C:\\\\temp\\\\"}',
    "LONG": "word # with a mark, " * 20,
    "TAIL": "ends with a backslash \\",
    "EMPTY": "",
    "UNICODE": "naïve ☃",
}
"""Variables that a careless Dockerfile would garble."""
DIFFERENT = {"Image", "Hostname", "Domainname", "ArgsEscaped", "OnBuild", "Volumes"}
"""What docker notes of its own."""


def write_config(directory: Path, *lines: str) -> None:
    environment = [f"  - {json.dumps(f'{name}={value}')}" for name, value in ODD.items()]
    text = (directory / "cog.yaml").read_text().rstrip()
    text = text.replace("build:\n", "build:\n" + "".join(f"  {line}\n" for line in lines))
    (directory / "cog.yaml").write_text("\n".join([text, "environment:", *environment, ""]))


def build(desk: Desk, docker: Docker, directory: Path, *options: str) -> str:
    """Write the context of a project, build it as `cog debug` says, and return the image's name."""
    arguments = ["--base-image", str(desk.base), "--image-name", "from-dockerfile", *options]
    done = desk.run(directory, "debug", "-o", "context", *arguments)
    command = done.stdout.replace("docker build", f"{docker.client} build")
    # No index and no other host can be asked while it is built.
    command = command.replace(" build ", " build --network none ", 1)
    built = subprocess.run(
        ["sh", "-ec", command],
        cwd=directory,
        env={**docker.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return "from-dockerfile"


def config_of(docker: Docker, image: str) -> dict[str, Any]:
    done = docker.run("image", "inspect", "--format", "{{json .Config}}", image)
    config: dict[str, Any] = json.loads(done.stdout)
    return {
        name: sorted(value) if name == "Env" else value
        for name, value in config.items()
        if name not in DIFFERENT and value not in (None, "", False)
    }


def listing(docker: Docker, image: str, code: str) -> Any:
    done = docker.run("run", "--rm", "--network=none", image, "python", "-c", code)
    return json.loads(done.stdout)


PACKAGES = """
import importlib.metadata as m, json, sys
print(json.dumps([sys.prefix, sys.version, sorted(f"{d.name}=={d.version}" for d in m.distributions())]))
"""
FILES = """
import json, os
found = [os.path.join(top, name) for top, _, names in os.walk("/src") for name in names]
print(json.dumps(sorted((path, os.stat(path).st_mode & 0o777, os.stat(path).st_uid) for path in found)))
"""


def test_docker_builds_the_same_image(desk: Desk, docker: Docker) -> None:
    directory = desk.copy("blur")
    write_config(directory, 'weights: ["**/*.bin"]')
    (directory / "models [1]").mkdir()
    (directory / "models [1]" / "a*b.bin").write_bytes(b"weights")
    (directory / "empty").mkdir()
    (directory / "link").symlink_to("run.py")
    pushed = desk.push(directory)
    docker.run("pull", "--quiet", pushed)
    built = build(desk, docker, directory)
    ours, theirs = config_of(docker, pushed), config_of(docker, built)
    assert ours["Labels"].pop("run.cog.sbom").startswith("sha256:")
    assert theirs == ours
    assert listing(docker, built, PACKAGES) == listing(docker, pushed, PACKAGES)
    assert listing(docker, built, FILES) == listing(docker, pushed, FILES)
    check_variables(docker, built)
    with container(docker, built, ("--read-only", "--tmpfs", "/tmp")) as server:
        server.wait_until_ready()
        inputs = {"image": "data:image/png;base64,", "radius": "none"}
        answer = httpx2.post(f"{server.url}/predictions", json={"input": inputs})
        assert answer.status_code == 422
        assert server.stop() < 15
        assert server.exit_code == 0


def check_variables(docker: Docker, image: str) -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    found: Mapping[str, str] = listing(docker, image, code)
    assert {name: found.get(name) for name in ODD} == ODD


def test_commands_run_with_their_secrets_on_the_models_packages(desk: Desk, docker: Docker) -> None:
    directory = desk.copy("hello-world")
    lines = [
        "run:",
        "  - python -m pip --version > /pip.txt && python -c 'import cog' && id -u > /uid.txt",
        "  - {command: sha256sum < /run/secrets/token > /seen.txt, mounts: [{type: secret, id: token, target: /run/secrets/token}]}",
        "  - 'echo \"$PLAIN\" > /plain.txt'",
    ]
    write_config(directory, *lines)
    (directory / ".dockerignore").write_text("secret\n")
    (directory / "secret").write_text("hush")
    built = build(desk, docker, directory, "--secret", "id=token,src=secret")
    done = docker.run(
        "run", "--rm", built, "cat", "/pip.txt", "/uid.txt", "/seen.txt", "/plain.txt"
    )
    pip, uid, seen, plain = done.stdout.splitlines()
    assert "/opt/venv/lib/" in pip
    assert (uid, plain) == ("0", "one")
    assert seen.startswith("dc8331bc")
    assert "hush" not in docker.run("history", "--no-trunc", built).stdout
    with container(docker, built) as server:
        server.wait_until_ready()
        answer = httpx2.post(f"{server.url}/predictions", json={"input": {"text": "Ada"}})
        assert answer.json()["output"] == "hello Ada"


def test_buildah_builds_it_too(desk: Desk, buildah: Engine) -> None:
    directory = desk.copy("hello-world")
    write_config(directory)
    arguments = ("--base-image", str(desk.base), "--image-name", "from-dockerfile")
    desk.run(directory, "debug", "-o", "context", *arguments)
    built = ("build", "--tls-verify=false", "--isolation=chroot", "--tag", "from-dockerfile")
    buildah.run(*built, str(directory / "context"))
    working = buildah.run("from", "--pull-never", "from-dockerfile").stdout.strip()
    code = "import cog, json, os; print(json.dumps(dict(os.environ)))"
    found = json.loads(
        buildah.run("run", "--isolation=chroot", working, "python", "-c", code).stdout
    )
    buildah.run("rm", working)
    assert {name: found.get(name) for name in ODD} == ODD
