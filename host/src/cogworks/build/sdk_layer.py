"""What the model's Python gets of ours: the SDK, and nothing else.

It is a package of the environment `/opt/venv`, so that `import cog` works in whatever the author runs there. Workers are
started from the folder `/opt/cogworks/sdk` by path, so that our `cog` comes before a `cog/` folder of the project; that
folder holds a program of three lines and a link to the package.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.layer_key import layer_key
from cogworks.build.packer import Member, Summary, with_parents, write_layer
from cogworks.build.wheel_layer import Places
from cogworks.build.wheel_set import WheelFile, wheel_contents, wheels_key
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File, Symlink

SDK_TREE = "opt/cogworks/sdk"
MAIN = b"""\
from cog._worker.main import main

if __name__ == "__main__":
    main()
"""
"""What a worker is started with: `python /opt/cogworks/sdk --bridge DATA_FD,CONTROL_FD`."""


def sdk_layer(
    cache: Cache,
    wheel: WheelFile,
    python: tuple[int, int],
    compiler: Compiler | None,
    codec: Codec,
) -> CachedLayer:
    """Return the layer of the SDK; it is packed unless the cache has it."""
    key = layer_key("sdk", SDK_TREE, MAIN.decode(), wheels_key([wheel], python, compiler))

    def make(path: Path) -> Summary:
        with wheel_contents(cache, [wheel], python, compiler) as contents:
            members = with_parents([*_tree(python), *contents.members])
            return replace(write_layer(members, codec, path), facts=contents.facts)

    return cache.layer(key, codec, make, "SDK", is_shared=True)


def _tree(python: tuple[int, int]) -> list[Member]:
    return [
        (File(f"{SDK_TREE}/__main__.py", len(MAIN)), (MAIN,)),
        (Symlink(f"{SDK_TREE}/cog", f"/{Places(python).library}/cog"), ()),
    ]
