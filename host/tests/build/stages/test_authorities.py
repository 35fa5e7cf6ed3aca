"""Whom commands trust while an image is built."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cogworks.build.errors import StageError
from cogworks.build.stages.authorities import find_authorities

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
OTHER = PEM.replace("MIIB", "MIIC")
ENCODED = base64.b64encode(PEM.encode()).decode()


def test_where_nothing_is_said_the_base_decides() -> None:
    assert find_authorities({}) is None
    assert find_authorities({"COG_CA_CERT": "", "SSL_CERT_FILE": ""}) is None


@pytest.mark.parametrize("value", ["file", "folder", PEM, ENCODED])
def test_a_certificate_comes_in_front_of_the_usual_ones(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text(PEM)
    Path("folder").mkdir()
    Path("folder/b.pem").write_text(OTHER)
    Path("folder/a.crt").write_text(PEM)
    Path("folder/readme.txt").write_text("no certificate")
    found = find_authorities({"COG_CA_CERT": value})
    assert found is not None
    assert found.startswith(PEM)
    assert (OTHER in found) == (value == "folder")


def test_a_file_of_this_machine_stands_for_all(tmp_path: Path) -> None:
    (tmp_path / "all.pem").write_text(PEM)
    assert find_authorities({"SSL_CERT_FILE": str(tmp_path / "all.pem")}) == PEM


@pytest.mark.parametrize(
    "value", ["nowhere", "aGVsbG8=", "x" * 5000, "-----BEGIN CERTIFICATE-----", "file", "ä"]
)
def test_what_is_no_certificate_is_refused(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no certificate")
    with pytest.raises(StageError, match="COG_CA_CERT: invalid value - must be a file path"):
        find_authorities({"COG_CA_CERT": value})


def test_a_folder_without_certificates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"has no \*\.crt and no \*\.pem"):
        find_authorities({"COG_CA_CERT": str(tmp_path)})


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"SSL_CERT_FILE: .*nowhere cannot be read"):
        find_authorities({"SSL_CERT_FILE": str(tmp_path / "nowhere")})
