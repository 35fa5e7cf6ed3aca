"""Files on their way in and out of a prediction, and their end.

In: a URL (``data:``, ``http:``, ``https:``) for a Path or File input becomes the object that the
model expects; what was fetched is removed when the prediction is over. A file that the client
has uploaded is there already, and the server removes it. Out: a path or an open file in the
output becomes a token, and the server, which does the reading, learns where the file is.

The server may still read an output while the model works on the next prediction, which may well
write to the same path. So each output is set aside: a file of the worker's own temporary folder
is moved, any other, which belongs to the model, is copied. The server removes what was set aside.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from typing import Any, Callable

from cog._schema.coerce import has_inner_files
from cog._schema.conversions import compile_type
from cog._schema.errors import InputError
from cog._schema.kinds import is_list
from cog._schema.types import FileType, ListType, OptionalType, Signature, Type
from cog._schema.types import PathType as _PathType
from cog._worker.folder import ensure_folder
from cog.errors import CogError
from cog.types import File, Path


class FileInputs:
    """Knows which inputs of a model are files; made once a model."""

    def __init__(self, signature: Signature) -> None:
        """Look through the signature."""
        self._kinds = [
            (field.name, kind)
            for field in signature.inputs
            for kind in [_file_kind(field.type)]
            if kind is not None
        ]
        self._nested = [
            (field.name, field.type) for field in signature.inputs if has_inner_files(field.type)
        ]
        self._names = [name for name, _ in (*self._kinds, *self._nested)]

    def is_needed(self, values: dict[str, Any]) -> bool:
        """Tell whether ``open`` has anything to do."""
        return any(values[name] is not None for name in self._names)

    def open(
        self, values: dict[str, Any], uploads: Mapping[str, dict[str, Any]]
    ) -> list[Callable[[], None]]:
        """Replace, in place, the strings of file inputs; return what must be called at the end.

        Args:
            uploads: the files that stand behind tokens, as ``Predict`` has them.

        Raises:
            Exception: a download failed; what was fetched before it is removed already.
        """
        closers: list[Callable[[], None]] = []
        try:
            for name, kind in self._kinds:
                values[name] = _open_value(values[name], kind, uploads, closers)
            for name, type_ in self._nested:
                values[name] = _open_inside(name, values[name], type_, closers)
        except BaseException:
            close_files(closers)
            raise
        return closers


def close_files(closers: list[Callable[[], None]]) -> None:
    """Remove what ``FileInputs.open`` made; a file that the model moved away is no error."""
    for close in closers:
        with contextlib.suppress(OSError):
            close()


class FileOutputs:
    """Collects the files of one output or item; ``files`` is what the bridge message carries."""

    def __init__(self, temp_dir: str) -> None:
        """Copy open files into ``temp_dir``, the worker's own."""
        self._temp_dir = temp_dir
        self._tokens: dict[str, str] = {}
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, value: Any) -> str:
        """Take a path-like or an open file; return the token that stands in its place.

        Raises:
            FileNotFoundError, IsADirectoryError: there is nothing to read at the path.
            ValueError: an open file that is closed, or cannot be read.
        """
        if not isinstance(value, (str, os.PathLike)):
            return self._note(*self._copy(value))
        path: str = os.path.abspath(str(_local_path(value)))
        if path in self._tokens:  # Named twice in one output: it has been set aside already.
            return self._tokens[path]
        if os.path.isdir(path):
            raise IsADirectoryError(f"the output {path} is a directory, not a file")
        if not os.path.exists(path):
            raise FileNotFoundError(f"the output file {path} does not exist")
        token = self._note(self._set_aside(path), os.path.basename(path))
        self._tokens[path] = token
        return token

    def _note(self, path: str, name: str) -> str:
        token = f"cog-file:{uuid.uuid4().hex}"
        self.files[token] = {"path": path, "name": name, "remove": True}
        return token

    def _set_aside(self, path: str) -> str:
        """Give the content of a file a name that nobody else uses; return it."""
        descriptor, aside = tempfile.mkstemp(dir=self._temp_dir, suffix=os.path.splitext(path)[1])
        os.close(descriptor)
        try:
            if self._is_own(path):
                os.replace(path, aside)
            else:
                shutil.copyfile(path, aside)
        except BaseException:  # A canceled prediction must not fill the disk either.
            os.unlink(aside)
            raise
        return aside

    def _is_own(self, path: str) -> bool:
        """Tell whether a file, not a link to another one, is in the worker's temporary folder."""
        folder = os.path.realpath(os.path.dirname(path)) + os.sep
        root = os.path.realpath(self._temp_dir) + os.sep
        return folder.startswith(root) and not os.path.islink(path)

    def _copy(self, stream: Any) -> tuple[str, str]:
        name = os.path.basename(str(getattr(stream, "name", ""))) or "output"
        ensure_folder(self._temp_dir)
        descriptor, path = tempfile.mkstemp(dir=self._temp_dir, suffix=os.path.splitext(name)[1])
        with os.fdopen(descriptor, "wb") as target:
            if stream.seekable():
                stream.seek(0)
            if isinstance(stream, io.TextIOBase):
                target.write(stream.read().encode())
            else:
                shutil.copyfileobj(stream, target)
        return path, name


def _file_kind(type_: Type) -> Any:
    if has_inner_files(type_):
        return None
    while isinstance(type_, (OptionalType, ListType)):
        type_ = type_.item
    if isinstance(type_, _PathType):
        return Path
    return File if isinstance(type_, FileType) else None


def _open_inside(name: str, value: Any, type_: Type, closers: list[Callable[[], None]]) -> Any:
    """Open the files inside of a value, and make of it what the model expects."""

    def open_file(file_type: Type, url: Any) -> Any:
        return _open_value(url, _file_kind(file_type), {}, closers)  # Forms reach none of these.

    try:
        return compile_type(type_, open_file)(value)
    except CogError:
        raise
    except ValueError as error:  # The author's class has rules of its own.
        raise InputError([(name, str(error))]) from None


def _open_value(
    value: Any, kind: Any, uploads: Mapping[str, dict[str, Any]], closers: list[Callable[[], None]]
) -> Any:
    if is_list(value):
        return [_open_value(item, kind, uploads, closers) for item in value]
    if not isinstance(value, str):
        return value
    if value in uploads:
        return _open_upload(uploads[value]["path"], kind, closers)
    opened = kind.validate(value)
    if kind is not Path:
        closers.append(getattr(opened, "close", _nothing))
        return opened
    if not hasattr(opened, "convert"):
        return opened
    closers.append(lambda: opened.unlink(missing_ok=True))
    return opened.convert()


def _open_upload(path: str, kind: Any, closers: list[Callable[[], None]]) -> Any:
    if kind is Path:
        return Path(path)
    stream = open(path, "rb")  # noqa: SIM115 - closed when the prediction is over
    closers.append(stream.close)
    return stream


def _local_path(value: Any) -> Any:
    """Return the file behind a URLPath that the model passes through, any other path as it is."""
    return value.convert() if hasattr(value, "convert") else value


def _nothing() -> None:
    """Stand in for ``close``."""
