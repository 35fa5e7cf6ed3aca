from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cogworks.engines.lease import (
    TOUCH_AFTER_S,
    Lease,
    claims_held,
    is_locked,
    note_use,
    read_claims,
)

HOLDER = """
import os, sys, pathlib
from cogworks.engines.lease import Lease

cache = pathlib.Path(sys.argv[1])
lease = Lease(cache)
lease.claim(cache / "envs" / "a")
print(lease.name, flush=True)
if sys.argv[2] == "exec":
    program = "import sys; print('there', flush=True); sys.stdin.read()"
    os.execv(sys.executable, [sys.executable, "-c", program])
sys.stdin.read()
"""


@contextmanager
def holder(cache: Path, mode: str = "wait") -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(cache), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_what_is_claimed_is_seen_with_what_is_in_it(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    lease.claim(tmp_path / "oci" / "x", tmp_path / "envs")
    claims = read_claims(tmp_path)
    assert claims.names == {lease.name}
    assert claims.cover(tmp_path / "oci" / "x", tmp_path)
    assert claims.cover(tmp_path / "envs" / "a" / "b", tmp_path)
    assert not claims.cover(tmp_path / "oci", tmp_path)
    assert not claims.cover(tmp_path / "oci" / "xy", tmp_path)


def test_a_claim_ends_with_its_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    lease.claim(tmp_path / "x")
    del lease
    gc.collect()
    assert not read_claims(tmp_path).paths
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["gate"]


@pytest.mark.slow
def test_a_claim_of_a_process_that_is_killed_ends_with_it(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert read_claims(tmp_path).paths == {"envs/a"}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not read_claims(tmp_path).paths
        assert len(list((tmp_path / "leases").iterdir())) == 2
        with claims_held(tmp_path) as claims:
            assert not claims.names
        assert [path.name for path in (tmp_path / "leases").iterdir()] == ["gate"]


@pytest.mark.slow
def test_a_program_that_takes_the_place_of_the_claimant_keeps_the_claim(tmp_path: Path) -> None:
    with holder(tmp_path, "exec") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert read_claims(tmp_path).paths == {"envs/a"}
    assert not read_claims(tmp_path).paths


def test_nothing_can_be_claimed_while_claims_are_held(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    thread = threading.Thread(target=lease.claim, args=(tmp_path / "x",))
    with claims_held(tmp_path) as claims:
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        assert not claims.paths
    thread.join()
    assert read_claims(tmp_path).paths == {"x"}


def test_many_threads_share_one_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    threads = [
        threading.Thread(target=lease.claim, args=(tmp_path / f"x{number}",))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claims = read_claims(tmp_path)
    assert claims.paths == {f"x{number}" for number in range(20)}
    assert len(claims.names) == 1


def test_where_nothing_can_be_written_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "leases").write_text("no folder")
    Lease(tmp_path).claim(tmp_path / "x")
    assert not read_claims(tmp_path).paths


def test_the_last_use_is_noted_once_a_day(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("")
    now = time.time()
    os.utime(path, (now, now - 100))
    note_use(path)
    assert path.stat().st_mtime == pytest.approx(now - 100)
    os.utime(path, (now, now - TOUCH_AFTER_S - 100))
    note_use(path)
    assert path.stat().st_mtime >= now - 1
    note_use(tmp_path / "not there")


def test_asking_whether_a_file_is_locked_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert not is_locked(path)
    path.write_text("")
    os.utime(path, (1, 1))
    assert not is_locked(path)
    assert path.stat().st_mtime == 1
