from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.errors import DownloadError
from cogworks.build.index_credentials import IndexCredentials, read_credentials
from cogworks.build.lock import LockedWheel
from cogworks.build.wheel_set import WheelFile
from cogworks.build.wheels import TRIES, Wheelhouse
from host.tests.registry.silent import SilentServer

from .conftest import MakeWheel

LONG_S = 30
"""An answer is waited for twice as long."""
NOBODY = read_credentials({"PIP_CONFIG_FILE": "/dev/null"})
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, bytes, dict[str, str]]]


@contextmanager
def serve(answer: Answer) -> Generator[tuple[str, list[str | None]]]:
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            status, body, headers = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            status, body, headers = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def locked(wheel: WheelFile, base: str) -> LockedWheel:
    size = wheel.path.stat().st_size
    return LockedWheel(
        "pixel", "1.0", wheel.filename, wheel.digest, size, f"{base}/{wheel.filename}"
    )


def fetch(cache: Cache, wheel: LockedWheel, credentials: IndexCredentials = NOBODY) -> WheelFile:
    with closing(Wheelhouse(cache, [wheel], credentials, lambda count: None, {})) as house:
        (found,) = house.files()
        house.bring([found])
        return found


def house(cache: Cache, *wheels: LockedWheel) -> Wheelhouse:
    return Wheelhouse(cache, wheels, NOBODY, lambda count: None, {})


def test_a_wheel_comes_when_it_is_needed_and_not_before(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    wheel = make_wheel()
    with serve(lambda request: (200, wheel.path.read_bytes(), {})) as (base, seen):
        with closing(house(cache, locked(wheel, base))) as wheels:
            (found,) = wheels.files()
            assert (found.size_bytes, found.path.exists()) == (wheel.size_bytes, False)
            assert seen == []
            wheels.start([found])
            wheels.bring([found])
            assert found.path.read_bytes() == wheel.path.read_bytes()
        assert len(seen) == 1


def test_an_index_that_is_silent_is_not_waited_for_when_the_build_ends(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    with SilentServer() as silent:
        wheels = house(cache, locked(make_wheel(), f"http://{silent.host}"))
        (found,) = wheels.files()
        wheels.start([found])
        assert silent.asked.wait(LONG_S)
        closing_it = threading.Thread(target=wheels.close)
        closing_it.start()
        closing_it.join(LONG_S / 2)
        assert not closing_it.is_alive()


def test_a_size_that_the_lock_does_not_have_is_asked_for_once(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    wheel = make_wheel()
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
        asked.append(request.command)
        return 200, wheel.path.read_bytes(), {}

    with serve(answer) as (base, _):
        unsized = replace(locked(wheel, base), size_bytes=None)
        for _ in range(2):
            with closing(house(cache, unsized)) as wheels:
                assert [one.size_bytes for one in wheels.files()] == [wheel.size_bytes]
    assert asked == ["HEAD"]


@pytest.mark.parametrize(
    "told", [(405, {}), (200, {"Content-Length": "0"}), (200, {"Content-Length": ""})]
)
def test_a_wheel_whose_size_nobody_tells_is_fetched(
    cache: Cache, make_wheel: MakeWheel, told: tuple[int, dict[str, str]]
) -> None:
    wheel = make_wheel()

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
        request.close_connection = True
        if request.command == "HEAD":
            return told[0], b"", told[1]
        return 200, wheel.path.read_bytes(), {}

    with serve(answer) as (base, seen):
        unsized = replace(locked(wheel, base), size_bytes=None)
        with closing(house(cache, unsized)) as wheels:
            (found,) = wheels.files()
            assert (found.size_bytes, found.path.exists()) == (wheel.size_bytes, True)
            wheels.bring([found])
        assert len(seen) == 1


def test_a_house_that_is_closed_ends_what_is_on_its_way(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    wheel = make_wheel()
    started, go_on = threading.Event(), threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
        request.close_connection = True
        started.set()
        go_on.wait(10)
        return 200, wheel.path.read_bytes(), {}

    with serve(answer) as (base, _):
        wheels = house(cache, locked(wheel, base))
        (found,) = wheels.files()
        wheels.start([found])
        assert started.wait(10)
        timer = threading.Timer(0.05, go_on.set)
        timer.start()
        wheels.close()
        timer.join()
        wheels.close()
        assert not found.path.exists()
        with pytest.raises(DownloadError, match="the build has ended"):
            wheels.bring([found])


def test_a_wheel_is_fetched_once(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    with serve(lambda request: (200, wheel.path.read_bytes(), {})) as (base, seen):
        found = fetch(cache, locked(wheel, base))
        assert found.path.read_bytes() == wheel.path.read_bytes()
        assert fetch(cache, locked(wheel, base)) == found
        assert len(seen) == 1


def test_a_damaged_wheel_in_the_cache_is_fetched_again(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    with serve(lambda request: (200, wheel.path.read_bytes(), {})) as (base, seen):
        found = fetch(cache, locked(wheel, base))
        found.path.chmod(0o644)
        found.path.write_bytes(b"damaged")
        assert fetch(cache, locked(wheel, base)).path.read_bytes() == wheel.path.read_bytes()
        assert len(seen) == 2


def test_what_is_not_as_locked_is_refused_and_not_kept(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    with (
        serve(lambda request: (200, b"something else", {})) as (base, _),
        pytest.raises(DownloadError, match="is not what the lock says: its sha256 is"),
    ):
        fetch(cache, locked(wheel, base))
    assert not list(cache.root.rglob("tmp/*"))
    assert not list(cache.root.rglob("wheels/sha256/*"))


def test_a_busy_index_and_a_cut_connection_are_tried_again(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    wheel = make_wheel()
    data = wheel.path.read_bytes()
    answers: list[tuple[int, bytes, dict[str, str]]] = [
        (503, b"", {}),
        (200, data[:50], {"Content-Length": str(len(data)), "Connection": "close"}),
        (200, data, {}),
    ]

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
        request.close_connection = True
        return answers.pop(0)

    with serve(answer) as (base, seen):
        assert fetch(cache, locked(wheel, base)).path.read_bytes() == data
        assert len(seen) == 3


def test_an_index_that_stays_broken_is_given_up_with_the_reason(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    with (
        serve(lambda request: (500, b"", {})) as (base, seen),
        pytest.raises(DownloadError, match=r"tried 4 times: .* answered 500"),
    ):
        fetch(cache, locked(make_wheel(), base))
    assert len(seen) == TRIES


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_told_without_the_password(
    cache: Cache, make_wheel: MakeWheel, status: int
) -> None:
    wheel = make_wheel()
    with serve(lambda request: (status, b"", {})) as (base, _):
        secret = base.replace("://", "://me:hunter2@")
        credentials = read_credentials({"UV_INDEX_URL": secret, "PIP_CONFIG_FILE": "/dev/null"})
        with pytest.raises(DownloadError, match=f"answered {status}") as caught:
            fetch(cache, locked(wheel, secret), credentials)
        assert "hunter2" not in f"{caught.value} {caught.value!r} {credentials!r}"


def test_credentials_are_not_sent_on_to_another_host(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    with serve(lambda request: (200, wheel.path.read_bytes(), {})) as (files, seen_by_files):
        # Another port is another origin.
        location = f"{files}/{wheel.filename}"
        with serve(lambda request: (302, b"", {"Location": location})) as (index, seen_by_index):
            secret = index.replace("://", "://me:hunter2@") + "/simple"
            environment = {"UV_INDEX": f"mine={secret}", "PIP_CONFIG_FILE": "/dev/null"}
            fetch(cache, locked(wheel, index), read_credentials(environment))
    assert seen_by_index[0] is not None
    assert seen_by_files == [None]


def test_a_local_wheel_is_copied_and_checked(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    local = replace(locked(wheel, ""), url=None, path=wheel.path)
    assert fetch(cache, local).path != wheel.path
    with pytest.raises(DownloadError, match="is in the lock but not there"):
        fetch(Cache(cache.root / "other"), replace(local, path=wheel.path.with_name("gone.whl")))


@pytest.mark.parametrize(
    "environment",
    [
        {"UV_DEFAULT_INDEX": "https://me:pw@i.example/simple"},
        {"UV_INDEX": "a=https://b.example/x https://me:pw@i.example/simple"},
        {
            "UV_INDEX": "my-own=https://i.example/simple",
            "UV_INDEX_MY_OWN_USERNAME": "me",
            "UV_INDEX_MY_OWN_PASSWORD": "pw",
        },
        {"PIP_EXTRA_INDEX_URL": "https://me:pw@i.example/simple"},
        {"UV_INDEX_URL": "https://me:p%77@i.example:443/simple"},
    ],
)
def test_credentials_are_found_where_uv_and_pip_keep_them(environment: dict[str, str]) -> None:
    found = read_credentials({"PIP_CONFIG_FILE": "/dev/null", **environment})
    assert found.find("https://i.example/files/x.whl") == ("me", "pw")
    assert found.find("https://other.example/files/x.whl") is None
    assert found.find("http://i.example/files/x.whl") is None


def test_a_netrc_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine i.example login me password pw\n")
    (tmp_path / ".netrc").chmod(0o600)
    found = read_credentials({"PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path)})
    assert found.find("https://i.example/x.whl") == ("me", "pw")
    assert found.find("https://j.example/x.whl") is None
