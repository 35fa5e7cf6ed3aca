"""Files as paths: what a model takes and gives."""

from __future__ import annotations

import io
import os
import pathlib
import sys
from _thread import LockType, allocate_lock  # threading takes milliseconds to import
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from cog.data_url import decode_data_url, is_data_url
from cog.download import is_http_url, open_url, save_stream
from cog.errors import UnsupportedURLError, quote_short
from cog.file import File, URLFile
from cog.filename import FALLBACK_NAME, name_from_url, safe_name
from cog.media_types import guess_extension
from cog.pydantic_hooks import plain_schema

if TYPE_CHECKING:
    _Base = pathlib.Path
else:
    # Before Python 3.12 only the class of the platform can be subclassed.
    _Base = type(pathlib.Path())


class Path(_Base):
    """A file on disk: a ``pathlib.Path`` that is an input or output of a model.

    An input file is there before ``run()`` is called and is removed after it.
    """

    @classmethod
    def validate(cls, value: Any) -> pathlib.Path:
        """Make a path of what came for a ``Path`` input.

        Paths pass; a data, http or https URL becomes a ``URLPath``; another string is the path
        of a local file.

        Raises:
            InvalidDataURLError: a ValueError; a data URL cannot be decoded.
            TypeError: it is neither a path nor a string.
        """
        if isinstance(value, pathlib.Path):
            return value
        if isinstance(value, str) and (is_data_url(value) or is_http_url(value)):
            return URLPath.from_url(value)
        return Path(value)

    @classmethod
    def __get_validators__(cls) -> Iterator[Any]:
        """Let pydantic 1 take this type as a field."""
        yield cls.validate

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic 2 take this type as a field."""
        return plain_schema(cls.validate)


class URLPath(Path):
    """A file behind a URL, fetched once, when its content is first needed.

    ``name`` and ``suffix`` come from the URL, ``str()`` is the URL itself. Opening it, or
    anything else that needs the file, fetches it into a temporary file, whose path
    ``convert()`` returns.
    """

    source: str
    filename: str
    fileobj: io.BufferedIOBase
    _local: Optional[Path]
    _lock: LockType

    def __new__(cls, *, source: str, filename: str, fileobj: io.BufferedIOBase) -> URLPath:
        """Make a path of an unread stream.

        Args:
            source: the URL.
            filename: what the temporary file's name ends with; made safe.
            fileobj: where the content is read from; closed after that.
        """
        self = super().__new__(cls, safe_name(filename))
        self.source = source
        self.filename = safe_name(filename)
        self.fileobj = fileobj
        self._local = None
        self._lock = allocate_lock()
        return self

    def __init__(self, *, source: str, filename: str, fileobj: io.BufferedIOBase) -> None:
        if sys.version_info >= (3, 12):
            super().__init__(safe_name(filename))

    @classmethod
    def from_url(cls, url: str) -> URLPath:
        """Make a path of a data, http or https URL.

        Raises:
            UnsupportedURLError: a ValueError; it is another URL, or none.
            InvalidDataURLError: a ValueError; it cannot be decoded.
        """
        if is_http_url(url):
            return cls(source=url, filename=name_from_url(url), fileobj=File.validate(url))
        if not is_data_url(url):
            raise UnsupportedURLError(url)
        data = decode_data_url(url)
        name = FALLBACK_NAME + guess_extension(data.media_type)
        return cls(source=url, filename=name, fileobj=io.BytesIO(data.content))

    def convert(self, directory: Optional[str] = None) -> Path:
        """Fetch the file, unless that has been done, and return its path.

        Args:
            directory: where to put it; the system's temporary directory if None.

        Raises:
            DownloadError: it cannot be fetched; nothing is left on disk.
        """
        with self._lock:
            if self._local is None:
                with self._open() as stream:
                    self._local = Path(save_stream(stream, self.filename, directory))
            return self._local

    def _open(self) -> io.BufferedIOBase:
        """Open the source; a URL anew, so that a download that failed may be tried again."""
        file = self.fileobj
        return open_url(file.url) if isinstance(file, URLFile) else file

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the fetched file.

        Raises:
            FileNotFoundError: nothing was fetched, or it is gone, and ``missing_ok`` is False.
        """
        if self._local is not None:
            self._local.unlink(missing_ok=missing_ok)
        elif not missing_ok:
            raise FileNotFoundError(f"{self!r} has not been fetched")

    def __fspath__(self) -> str:
        return os.fspath(self.convert())

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"URLPath({quote_short(self.source)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URLPath) and self.source == other.source

    def __hash__(self) -> int:
        return hash((URLPath, self.source))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_url_path, (self.source, self.filename)

    # What is derived from it is no URLPath: a plain path of its name (``parent``), or of the
    # fetched file. Type checkers keep to what pathlib says of these methods.
    if not TYPE_CHECKING:

        def absolute(self):
            """Fetch the file and return where it is."""
            return self.convert().absolute()

        def resolve(self, strict=False):
            """Fetch the file and return where it is."""
            return self.convert().resolve(strict)

        def with_segments(self, *segments):
            """Return a plain path; ``pathlib`` asks for it from Python 3.12 on."""
            return Path(*segments)

        if sys.version_info < (3, 12):

            @classmethod
            def _from_parsed_parts(cls, *parts):
                return Path._from_parsed_parts(*parts)


def _restore_url_path(source: str, filename: str) -> URLPath:
    path = URLPath.from_url(source)
    return URLPath(source=source, filename=filename, fileobj=path.fileobj)
