"""Files as open binary streams: the older way for a model to take a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Optional, cast

from cog.data_url import decode_data_url, is_data_url
from cog.download import is_http_url, open_url
from cog.errors import UnsupportedURLError
from cog.filename import name_from_url
from cog.pydantic_hooks import plain_schema


class File(io.BufferedIOBase):
    """An input that the model reads as an open binary stream. Prefer ``Path``.

    It is an annotation: what the model gets is any open binary stream.
    """

    @classmethod
    def validate(cls, value: Any) -> io.BufferedIOBase:
        """Make a stream of what came for a ``File`` input.

        Open files pass; a data URL is decoded into memory; a http(s) URL is opened when it is
        first read.

        Raises:
            UnsupportedURLError: a ValueError; it is nothing of that.
            InvalidDataURLError: a ValueError; it cannot be decoded.
        """
        if isinstance(value, io.IOBase):
            return cast(io.BufferedIOBase, value)
        if isinstance(value, str) and is_data_url(value):
            return io.BytesIO(decode_data_url(value).content)
        if isinstance(value, str) and is_http_url(value):
            return URLFile(value)
        raise UnsupportedURLError(value)

    @classmethod
    def __get_validators__(cls) -> Iterator[Any]:
        """Let pydantic 1 take this type as a field."""
        yield cls.validate

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic 2 take this type as a field."""
        return plain_schema(cls.validate)


class URLFile(File):
    """The file behind a http(s) URL, fetched when something of it is first read.

    It reads forward only. A pickled one is fetched anew where it is loaded.
    """

    # Here already, for an object that was refused a URL is closed too.
    name: str = ""
    _stream: Optional[io.BufferedReader] = None

    def __init__(self, url: str, *, filename: Optional[str] = None) -> None:
        """Remember where the file is.

        Args:
            filename: what ``name`` says, if the URL does not say it.

        Raises:
            UnsupportedURLError: a ValueError; ``url`` is neither http nor https.
        """
        if not is_http_url(url):
            raise UnsupportedURLError(url)
        super().__init__()
        self.url = url
        self.name = filename or name_from_url(url)

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: Optional[int] = -1, /) -> bytes:
        """Return so many bytes, fewer only at the end; all without a size."""
        return self._opened().read(size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what has arrived, at most ``size`` bytes."""
        return self._opened().read1(size)

    def peek(self, size: int = 0, /) -> bytes:
        """Return bytes without moving on; this makes lines fast too."""
        return self._opened().peek(size)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._stream is not None:
            self._stream.close()
        super().close()

    def _opened(self) -> io.BufferedReader:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if self._stream is None:
            self._stream = open_url(self.url)
        return self._stream

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_url_file, (self.url, self.name)

    def __repr__(self) -> str:
        return f"URLFile({self.name!r})"


def _restore_url_file(url: str, filename: str) -> URLFile:
    return URLFile(url, filename=filename)
