"""Large JSON requests: files that they hold as data URLs go to disk as if they had been uploaded.

What cannot be taken apart that way, a data URL for an input that is no file for example, is read as
every other request; so is what is wrong with the request, which then says so in the same words.
"""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from cog._schema.kinds import is_list
from cogworks.errors import CogworksError
from cogworks.server.data_urls import Found, cut_out, decode, tokens_of
from cogworks.server.form_values import FormSchema
from cogworks.server.prediction_request import PredictionRequest
from cogworks.server.requests import read_json_request
from cogworks.server.uploads import UploadedFiles, full_disk_named

if TYPE_CHECKING:
    from starlette.types import Scope

NAME = "file"
"""What a file is called that has no name; as in the SDK."""


async def read_large_request(
    scope: Scope, body: bytes, schema: FormSchema, files: UploadedFiles
) -> PredictionRequest | None:
    """Read a request, with its files in ``files``, which the caller discards; None if it has none.

    Raises:
        DiskFullError: there is no room for the files.
        OSError: the disk does not take them.
    """
    text, found = cut_out(body, lambda: f"cog-cut:{secrets.token_hex(16)}")
    if not found:
        return None
    try:
        request = read_json_request(scope, text)
    except CogworksError:
        return None
    if _tokens_in_files(request.input, schema) != sorted(found):
        return None
    try:
        with full_disk_named():
            tokens = await asyncio.to_thread(_write, found, files)
    except ValueError:  # No base64: the model's own reading of it counts, and its words.
        return None
    inputs = {
        name: _renamed(value, tokens) if schema.is_file(name) else value
        for name, value in request.input.items()
    }
    return replace(request, input=inputs, files=files)


def _tokens_in_files(inputs: dict[str, Any], schema: FormSchema) -> list[str]:
    texts = [text for name in inputs if schema.is_file(name) for text in tokens_of(inputs[name])]
    return sorted(text for text in texts if text.startswith("cog-cut:"))


def _write(found: dict[str, Found], files: UploadedFiles) -> dict[str, str]:
    """Write the files; return the name of each as a file of the request, by its token in the text."""
    tokens: dict[str, str] = {}
    try:
        for token, url in found.items():
            essence = url.media_type.partition(";")[0].strip().lower()
            name = NAME + (mimetypes.guess_extension(essence) or "")
            shown = msgspec.Raw(url.quoted)
            tokens[token], sink = files.create(name, shown=shown)
            for piece in decode(url.content):
                sink.write(piece)
    finally:
        files.close()
    return tokens


def _renamed(value: Any, tokens: dict[str, str]) -> Any:
    if isinstance(value, str):
        return tokens.get(value, value)
    return [_renamed(item, tokens) for item in value] if is_list(value) else value
