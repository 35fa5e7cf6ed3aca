"""One layer out of what commands changed inside an image: run, merged, normalised, packed, and kept by its key."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.packer import Summary, write_archive
from cogworks.build.stages.authorities import FILE as AUTHORITIES
from cogworks.build.stages.authorities import NAMES as AUTHORITY_NAMES
from cogworks.build.stages.diff import Diff
from cogworks.build.stages.engine import Job
from cogworks.build.stages.layer_tar import layer_members, read_layer
from cogworks.build.stages.leftovers import note_engine, remove_leftovers
from cogworks.build.stages.needless import drop_needless_marks
from cogworks.build.stages.normal import normalize
from cogworks.build.stages.tools import Workshop
from cogworks.build.stages.unpacked import BLOCK_BYTES, opened
from cogworks.oci.layer import Codec
from cogworks.oci.tar import archive

STAGE_VERSION = "2"
"""Part of every key: whoever changes what is kept of a command's changes raises it."""
BUILD_VARIABLES = {
    # 1980: the oldest time that zip archives know. With it, Python's compiled modules go by the hash of their source.
    "SOURCE_DATE_EPOCH": "315532800",
    "PYTHONHASHSEED": "0",
}
"""For the time of the build only: what makes programs write the same twice."""

MakeJob = Callable[[], Job]


def stage_layer(
    shop: Workshop, key: str, title: str, make_job: MakeJob, *, keeps_temporary: bool = False
) -> CachedLayer:
    """Return the layer of a key; the job is run unless the cache has it, packed in whatever way.

    Args:
        title: what is in it, for people who look at the cache.
        make_job: is called only where something has to run.
        keeps_temporary: leave what the commands put into `/tmp`.

    Raises:
        CommandError: a command failed.
        StageError: they cannot be run.
    """
    cache, codec = shop.cache, shop.codec

    def make(path: Path) -> Summary:
        with workspace(cache) as folder:
            # What was run once is packed anew rather than run again: that might give another layer.
            packed = _find_other(cache, key, codec)
            if packed is not None:
                with opened(packed.path) as plain:
                    return write_archive(iter(lambda: plain.read(BLOCK_BYTES), b""), codec, path)
            diff = run_job(shop, make_job(), folder, keeps_temporary=keeps_temporary)
            return write_archive(archive(layer_members(diff)), codec, path)

    return cache.layer(key, codec, make, title, is_shared=True, is_repeatable=False)


def run_job(shop: Workshop, job: Job, folder: Path, *, keeps_temporary: bool = False) -> Diff:
    """Run a job; return what its commands changed, without what does not belong into an image.

    Args:
        folder: an empty one, in which contents stay as long as the changes are used.
    """
    diff = Diff()
    layers = folder / "layers"
    layers.mkdir()
    remove_leftovers(shop.cache, shop.engine)
    job = replace(job, name=note_engine(folder, shop.engine))
    job = _with_authorities(job, shop.authorities, folder / AUTHORITIES)
    for layer in shop.engine.run(job, layers, shop.progress.line):
        diff.add(read_layer(layer))
    mounted = [mount.target.strip("/") for step in job.steps for mount in step.mounts]
    for name in job.files:
        diff.drop(name)
    normalize(diff, keeps_temporary=keeps_temporary, mounted=mounted)
    drop_needless_marks(diff, job.below.layers)
    return diff


def _with_authorities(job: Job, authorities: str | None, path: Path) -> Job:
    """Return a job whose commands trust what this machine trusts; no key of a layer counts it."""
    if authorities is None:
        return job
    path.write_text(authorities, encoding="utf-8")
    variables = dict.fromkeys(AUTHORITY_NAMES, f"/{AUTHORITIES}")
    below = replace(job.below, environment={**job.below.environment, **variables})
    return replace(job, below=below, files={**job.files, AUTHORITIES: path})


@contextmanager
def workspace(cache: Cache) -> Generator[Path]:
    """Yield an empty folder beside the cache's files, which is removed with all that is in it."""
    with cache.temporary() as path:
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _find_other(cache: Cache, key: str, codec: Codec) -> CachedLayer | None:
    others = (cache.find_layer(key, one) for one in Codec if one is not codec)
    return next((one for one in others if one is not None), None)
