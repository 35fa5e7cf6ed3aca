"""Cut a stream of bytes into frames: one JSON text a line, each line at most ``MAX_FRAME_BYTES``."""

from __future__ import annotations

from cog._bridge.limits import MAX_FRAME_BYTES


class FrameError(Exception):
    """The stream cannot be trusted any more: a frame is longer than the limit."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        """Keep both numbers for the message."""
        super().__init__(
            f"a frame of more than {size_bytes} bytes; the limit is {limit_bytes} bytes"
        )
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class FrameDecoder:
    """Collects bytes and yields the lines that they complete, in linear time."""

    def __init__(self, limit_bytes: int = MAX_FRAME_BYTES) -> None:
        """Refuse lines of more than ``limit_bytes``, the newline not counted."""
        self._limit_bytes = limit_bytes
        self._parts: list[bytes] = []
        self._size_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream; return the frames that are now whole, without newline.

        Raises:
            FrameError: a line exceeds the limit, whole or not; the decoder is of no more use.
        """
        lines = data.split(b"\n")
        rest = lines.pop()
        if self._parts and lines:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
            self._size_bytes = 0
        for line in lines:
            self._check(len(line))
        if rest:
            self._parts.append(rest)
            self._size_bytes += len(rest)
            self._check(self._size_bytes)
        return lines

    def is_between_frames(self) -> bool:
        """Tell whether no frame is half received: a stream may end here."""
        return not self._parts

    def _check(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            raise FrameError(size_bytes, self._limit_bytes)
