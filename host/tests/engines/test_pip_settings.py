"""What pip is told about registries, uv is told too."""

from __future__ import annotations

from pathlib import Path

from cogworks.engines.pip_settings import read_pip_settings, uv_variables


def test_variables_and_files_are_read_and_variables_win(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a.example/simple\nfind-links =\n    /one\n    /two\n"
    )
    environ = {"PIP_CONFIG_FILE": str(config), "HOME": str(tmp_path)}
    settings = read_pip_settings(environ)
    assert settings["index-url"] == "https://a.example/simple"
    assert settings["find-links"].split() == ["/one", "/two"]
    environ["PIP_INDEX_URL"] = "https://b.example/simple"
    assert read_pip_settings(environ)["index-url"] == "https://b.example/simple"


def test_the_users_own_file_is_found(tmp_path: Path) -> None:
    config = tmp_path / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True)
    config.write_text("[install]\ntrusted-host = a.example\n")
    assert read_pip_settings({"HOME": str(tmp_path)})["trusted-host"] == "a.example"


def test_no_files_are_read_where_pip_reads_none(tmp_path: Path) -> None:
    assert read_pip_settings({"PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path)}) == {}


def test_a_broken_file_counts_for_nothing(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_bytes(b"index-url = x\n\xff")
    before = read_pip_settings({"HOME": str(tmp_path)})
    assert read_pip_settings({"PIP_CONFIG_FILE": str(config), "HOME": str(tmp_path)}) == before


def test_pip_settings_become_uv_variables() -> None:
    pip = {
        "index-url": "https://a.example/simple",
        "extra-index-url": "https://b.example/simple\nfile:///c",
        "find-links": "/one /two",
        "trusted-host": "a.example",
        "cert": "/ca.pem",
    }
    assert uv_variables(pip, {}) == {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_INDEX": "https://b.example/simple file:///c",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/one,/two",
        "UV_INSECURE_HOST": "a.example",
        "SSL_CERT_FILE": "/ca.pem",
    }


def test_settings_of_uv_itself_stay() -> None:
    pip = {"index-url": "https://a.example/simple", "extra-index-url": "https://b.example/simple"}
    assert uv_variables(pip, {"UV_DEFAULT_INDEX": "https://own.example"}) == {}


def test_no_index_means_offline() -> None:
    assert uv_variables({"no-index": "true"}, {}) == {"UV_OFFLINE": "1"}
