"""Credentials of a private index are used, and are nowhere afterwards: not in the image, the lock, the cache or what is said."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import Result

from cogworks.testing import FakeRegistry
from host.tests.build.conftest import write_wheel
from host.tests.build.stages.sources import write_repository
from host.tests.engines.private_index import PASSWORD, USER, private_index

from .build_desk import CONFIG, Desk

pytestmark = pytest.mark.slow

GZIP = b"\x1f\x8b"
SECRETS = (
    PASSWORD.encode(),
    base64.b64encode(f"{USER}:{PASSWORD}".encode()),
    base64.b64encode(PASSWORD.encode()).rstrip(b"="),
)
"""What nobody may find, in the forms in which it travels."""


@dataclass(frozen=True)
class Private:
    """A project that needs a package of an index which wants credentials."""

    desk: Desk
    url: str

    @property
    def bare_url(self) -> str:
        return self.url.replace(f"{USER}:{PASSWORD}@", "")

    def push(self, *arguments: str, **environ: str) -> Result:
        # Without another word, an index with nothing in it, instead of one that the network has.
        empty = self.desk.root / "empty-index"
        empty.mkdir(exist_ok=True)
        environ = environ or {"UV_DEFAULT_INDEX": empty.as_uri()}
        return self.desk.push(f"{self.desk.host}/me/model:v1", *arguments, **environ)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def private(
    tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Private]:
    desk = Desk(tmp_path, registry.host)
    monkeypatch.chdir(desk.project)
    desk.write("cog.yaml", CONFIG.replace("msgspec==0.14", "ours==1.0"))
    write_wheel(tmp_path / "served", "ours", "1.0")
    for name in ("UV_NO_INDEX", "UV_OFFLINE"):
        del desk.environ[name]
    with private_index(tmp_path / "served") as url:
        yield Private(desk, url)


def in_url(private: Private) -> Mapping[str, str]:
    return {"UV_DEFAULT_INDEX": private.url}


def in_variables(private: Private) -> Mapping[str, str]:
    return {
        "UV_DEFAULT_INDEX": f"corp={private.bare_url}",
        "UV_INDEX_CORP_USERNAME": USER,
        "UV_INDEX_CORP_PASSWORD": PASSWORD,
    }


def in_netrc(private: Private) -> Mapping[str, str]:
    path = private.desk.root / "netrc"
    host = urlsplit(private.bare_url).hostname
    path.write_text(f"machine {host} login {USER} password {PASSWORD}\n")
    path.chmod(0o600)
    return {"UV_DEFAULT_INDEX": private.bare_url, "NETRC": str(path)}


def in_pips_settings(private: Private) -> Mapping[str, str]:
    path = private.desk.root / "pip.conf"
    path.write_text(f"[global]\nindex-url = {private.url}\n")
    return {"PIP_CONFIG_FILE": str(path)}


@pytest.mark.parametrize("give", [in_url, in_variables, in_netrc, in_pips_settings])
def test_credentials_are_used_and_found_nowhere(
    private: Private, registry: FakeRegistry, give: object
) -> None:
    environ = give(private)  # type: ignore[operator]
    result = private.push("--lock", "--progress", "plain", **environ)
    assert result.exit_code == 0, result.exception
    image = b"".join(pieces_of(registry))
    assert b"ours-1.0.dist-info/METADATA" in image
    assert found_in(image) == []
    assert found_in(result.output.encode()) == []
    for folder in (private.desk.project, private.desk.root / "cache"):
        assert [path for path in files_of(folder) if found_in(path.read_bytes())] == []


@pytest.mark.parametrize("line", ["--extra-index-url {url}\nours==1.0\n", "ours @ {wheel}\n"])
def test_a_password_in_a_file_of_the_project_is_told_and_goes_nowhere_else(
    private: Private, registry: FakeRegistry, line: str
) -> None:
    wheel = private.url.replace("/simple", "/files/ours-1.0-py3-none-any.whl")
    private.desk.write("requirements.txt", line.format(url=private.url, wheel=wheel))
    listed = CONFIG.index("  python_packages"), CONFIG.index("run:")
    before, after = CONFIG[: listed[0]], CONFIG[listed[1] :]
    private.desk.write("cog.yaml", f"{before}  python_requirements: requirements.txt\n{after}")
    result = private.push("--lock")
    assert result.exit_code == 0, result.exception
    told = " ".join(result.stderr.split())
    assert "requirements.txt has the URL of an index with its password" in told
    assert found_in(result.output.encode()) == []
    assert found_in((private.desk.project / "pylock.cog.toml").read_bytes()) == []
    guilty = [one for one in pieces_of(registry) if found_in(one)]
    assert guilty
    assert all(b"requirements.txt" in one for one in guilty)
    private.desk.write(".dockerignore", "requirements.txt\n")
    again = private.push("--lock")
    assert "with its password" not in " ".join(again.stderr.split())


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url {start}${{TOKEN}}@{place}/simple\nours==1.0\n",
        "ours @ git+{start}${{TOKEN}}@{place}/git/ours.git\n",
    ],
)
def test_a_password_in_a_variable_that_the_requirements_name_is_used_and_found_nowhere(
    private: Private, registry: FakeRegistry, line: str
) -> None:
    write_repository(private.desk.root / "served" / "git", "ours")
    place = private.bare_url.removeprefix("http://").removesuffix("/simple")
    private.desk.write("requirements.txt", line.format(start=f"http://{USER}:", place=place))
    before, after = CONFIG.split("  python_packages:\n    - msgspec==0.14\n")
    private.desk.write("cog.yaml", f"{before}  python_requirements: requirements.txt\n{after}")
    empty = private.desk.root / "empty-index"
    empty.mkdir()
    told_to_git = private.desk.root / "arguments"
    path = f"{write_listener(private.desk.root / 'bin', told_to_git)}:{os.environ['PATH']}"
    environ = {"UV_DEFAULT_INDEX": empty.as_uri(), "TOKEN": PASSWORD, "PATH": path}
    result = private.push("--lock", "--progress", "plain", **environ)
    assert result.exit_code == 0, result.exception
    assert "with its password" not in " ".join(result.stderr.split())
    image = b"".join(pieces_of(registry))
    assert b"ours-1.0.dist-info/METADATA" in image
    assert found_in(image) == []
    assert found_in(result.output.encode()) == []
    for folder in (private.desk.project, private.desk.root / "cache"):
        assert [path for path in files_of(folder) if found_in(path.read_bytes())] == []
    # Arguments are seen by everybody on the machine.
    heard = told_to_git.read_bytes() if told_to_git.exists() else b""
    assert (b"ours.git" in heard) is ("git+" in line)
    assert found_in(heard) == []


def write_listener(folder: Path, heard: Path) -> Path:
    """Write a `git` that notes what it is told and does it; return its folder."""
    folder.mkdir()
    git = folder / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >>"{heard}"\nexec "{shutil.which("git")}" "$@"\n')
    git.chmod(0o755)
    return folder


def test_a_password_in_cog_yaml_is_not_in_a_label(private: Private, registry: FakeRegistry) -> None:
    lines = f"--extra-index-url {private.url}\n    - ours==1.0"
    private.desk.write("cog.yaml", CONFIG.replace("msgspec==0.14", lines))
    result = private.push()
    assert result.exit_code == 0, result.exception
    assert "cog.yaml has the URL of an index" in " ".join(result.stderr.split())
    documents = [
        data
        for blobs in registry.state.blobs.values()
        for data in blobs.values()
        if data[:1] == b"{"
    ]
    assert any(b"extra-index-url" in one for one in documents)
    assert found_in(b"".join(documents)) == []


def test_credentials_are_not_in_the_error_of_an_index_that_refuses_them(private: Private) -> None:
    wrong = private.url.replace(PASSWORD, f"{PASSWORD}-old")
    result = private.push(UV_DEFAULT_INDEX=wrong)
    assert result.exit_code != 0
    assert "ours" in str(result.exception)
    assert "They may be in UV_INDEX_<NAME>_USERNAME and _PASSWORD" in str(result.exception)
    assert found_in(f"{result.output}{result.exception!r}".encode()) == []


def test_credentials_are_not_in_the_error_of_a_package_that_cannot_be_fetched(
    private: Private,
) -> None:
    assert private.push("--lock", **in_url(private)).exit_code == 0
    # The lock stays, the wheel is gone from everywhere.
    shutil.rmtree(private.desk.root / "cache")
    (private.desk.root / "served" / "ours-1.0-py3-none-any.whl").unlink()
    result = private.push(**in_url(private))
    assert "answered 404: ours-1.0-py3-none-any.whl is not there" in str(result.exception)
    assert found_in(f"{result.output}{result.exception!r}".encode()) == []


def pieces_of(registry: FakeRegistry) -> Iterator[bytes]:
    """Yield all that a registry holds: documents, and blobs as they are and unpacked."""
    for manifests in registry.state.manifests.values():
        yield from (one.data for one in manifests.values())
    for blobs in registry.state.blobs.values():
        for data in blobs.values():
            yield data
            if data.startswith(GZIP):
                yield gzip.decompress(data)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def found_in(data: bytes) -> list[bytes]:
    return [secret for secret in SECRETS if secret in data]
