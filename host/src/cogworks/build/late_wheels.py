"""Wheels that are known by their hashes, while nobody has asked yet where they are: a build that packs none never does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from cogworks.build.errors import DownloadError
from cogworks.build.wheel_set import WheelFile, bring, give_up

if TYPE_CHECKING:
    from cogworks.build.cache import Cache
    from cogworks.oci.digest import Digest


class LateWheels:
    """Brings wheels that ``locate`` finds: it is called once, when the first of them has to come here.

    Args:
        locate: returns the same wheels, with their sources.
    """

    def __init__(self, cache: Cache, locate: Callable[[], Sequence[WheelFile]]) -> None:
        self._cache, self._locate = cache, locate
        self._lock = Lock()
        self._located: dict[Digest, WheelFile] | None = None

    def start(self, wheels: Sequence[WheelFile]) -> None:
        """Do nothing: to find out where they are takes a while, and `bring` does it."""

    def bring(self, wheels: Sequence[WheelFile]) -> None:
        """Wait until some wheels are there, whole and checked.

        Raises:
            BuildError: nobody knows where they are, or they cannot be fetched.
        """
        missing = [one for one in wheels if not self._is_here(one)]
        if missing:
            bring([self._find(one) for one in missing])

    def close(self) -> None:
        """Give up what is still on its way."""
        give_up(list((self._located or {}).values()))

    def _is_here(self, wheel: WheelFile) -> bool:
        if not self._cache.is_whole(wheel.path, wheel.digest):
            return False
        self._cache.note_wheel(wheel.digest, wheel.filename, wheel.size_bytes)
        return True

    def _find(self, wheel: WheelFile) -> WheelFile:
        with self._lock:
            if self._located is None:
                self._located = {one.digest: one for one in self._locate()}
        try:
            return self._located[wheel.digest]
        except KeyError:
            raise DownloadError(
                f"{wheel.filename} is not in the package indexes that this machine uses, or there it is another file. "
                "The prediction server needs exactly that one."
            ) from None
