from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cogworks.engines.file_lock import file_locked

HOLD = """\
import sys
from pathlib import Path
from cogworks.engines.file_lock import file_locked
with file_locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_threads_hold_it_one_after_another(tmp_path: Path) -> None:
    events: list[str] = []
    first_is_in, second_may_try = threading.Event(), threading.Event()

    def first() -> None:
        with file_locked(tmp_path / "lock"):
            first_is_in.set()
            second_may_try.wait()
            events.append("first ends")

    thread = threading.Thread(target=first)
    thread.start()
    first_is_in.wait()
    second_may_try.set()
    with file_locked(tmp_path / "lock"):
        events.append("second begins")
    thread.join()
    assert events == ["first ends", "second begins"]


@pytest.mark.slow
def test_the_lock_of_a_process_that_dies_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with file_locked(path):
        assert path.exists()
