"""Blobs of any size take the same little memory, whichever way they go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SIZE_BYTES = 150 * 1024 * 1024
MEMORY_MAX_BYTES = 90 * 1024 * 1024
"""Python with the HTTP library takes about half of it."""

# In a process of its own: what other tests have taken is never given back.
SCRIPT = """
import hashlib, json, sys
from pathlib import Path

from cogworks.oci.digest import Digest
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Repository
from cogworks.registry.blobs import FileBlob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.pull import pull_blob
from cogworks.registry.upload import upload_blob

host, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with (folder / "blob").open("rb") as file:
    digest = Digest(hashlib.file_digest(file, "sha256").hexdigest())
blob = Descriptor("x", digest, size)
one, other = Repository(host, "memory/one"), Repository(host, "memory/other")
with Client() as client:
    how = [upload_blob(client, one, FileBlob(folder / "blob", digest, size))]
    how.append(upload_blob(client, other, RemoteBlob(client, one, blob)))
    pull_blob(client, other, blob, folder / "again")
# Unlike getrusage's, this peak begins with this program and not with the process that it was forked from.
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps([peak, [one.value for one in how], (folder / "again").stat().st_size]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_large_blob_is_uploaded_copied_and_pulled_without_being_held_in_memory(
    real_registry: str, tmp_path: Path
) -> None:
    path = tmp_path / "blob"
    with path.open("wb") as file:
        file.write(os.urandom(1_000))
        file.truncate(SIZE_BYTES)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, real_registry, str(tmp_path), str(SIZE_BYTES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    peak, how, size = json.loads(done.stdout)
    assert (how, size) == (["uploaded", "uploaded"], SIZE_BYTES)
    assert peak < MEMORY_MAX_BYTES
