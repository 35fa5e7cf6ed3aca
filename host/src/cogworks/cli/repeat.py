"""`cog build` and `cog push` when only the code has changed since they were called last, or nothing at all.

Whatever is not as expected is left to the whole command, which does all of it and says what is wrong: nothing that was
done here before disturbs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cogworks.build.revision import find_revision
from cogworks.cli.account import (
    account_rows,
    built_title,
    loaded_rows,
    sent_row,
    show_account,
)
from cogworks.cli.cache_folder import cache_folder
from cogworks.cli.console import Console
from cogworks.cli.state import State
from cogworks.cli.streams import tolerate_encodings
from cogworks.errors import CogworksError
from cogworks.repeat.analysis import Analysis
from cogworks.repeat.call import call_key, record_path
from cogworks.repeat.image import digest_of
from cogworks.repeat.names import are_missing, keep_name, known_blobs, named_digest, note_blobs
from cogworks.repeat.record import is_code_unchanged, is_current, read_record, write_record

if TYPE_CHECKING:
    from cogworks.repeat.changed import Again
    from cogworks.repeat.shape import Record, TargetRecord

INTERRUPTED = 130
SMALL_BYTES = 8 * 1024 * 1024
"""Code that takes longer to send is sent with a display."""


class UnsentError(Exception):
    """The image was made and could not be sent: to try all of it once more would take long and help nobody."""

    def __init__(self, reason: CogworksError) -> None:
        self.reason = reason
        super().__init__(str(reason))


def repeat(arguments: Sequence[str]) -> int | None:
    """Make a call again the short way and return the exit code; None if it has to be made the long way."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        return None
    state = State(arguments=arguments)
    try:
        return _repeat(state)
    except UnsentError as error:
        state.console.error(str(error.reason))
        return error.reason.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (CogworksError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        # A damaged record, a file that has gone, a source that is wrong: the long way knows what to say.
        return None


def _repeat(state: State) -> int | None:
    environ, cache_dir = state.environ, cache_folder(state.environ)
    key = call_key(state.arguments, os.getcwd(), environ, is_terminal=state.is_terminal)
    path = record_path(cache_dir, key)
    record = read_record(path)
    if record is None:
        return None
    # The analysis takes longest, so it begins before it is known whether the record holds.
    with Analysis(record["source"]) as analysis:
        search_path = environ.get("PATH", os.defpath)
        if not is_current(record) or not are_missing(record["programs"], search_path):
            return None
        revision = find_revision(record["source"]["directory"], environ)
        again: Again | None = None
        if not is_code_unchanged(record) or revision != record["source"]["revision"]:
            again = _again(record, cache_dir, revision, analysis)
            if again is None or again.new_bytes > SMALL_BYTES:
                return None
            record = again.record
    return _Call(record, again, cache_dir, environ).finish(path, state.console)


def _again(
    record: Record, cache_dir: str, revision: Mapping[str, str], analysis: Analysis
) -> Again | None:
    from cogworks.repeat.changed import make_again

    target, ahead = record["target"], None
    if target is not None and target["url"]:
        from cogworks.repeat.plain_push import Ahead

        ahead = Ahead(target, SMALL_BYTES)
    return make_again(record, cache_dir, revision, analysis, ahead)


class _Call:
    """One call whose image is known: it is sent, gets its name, and is told of."""

    def __init__(
        self, record: Record, again: Again | None, cache_dir: str, environ: Mapping[str, str]
    ) -> None:
        self._record: Record = record
        self._again = again
        self._cache_dir, self._environ = cache_dir, environ
        self._manifest: dict[str, Any] = json.loads(record["image"]["manifest"])
        self._digest = digest_of(record["image"]["manifest"].encode())

    def finish(self, path: str, console: Console) -> int | None:
        """Do the rest, say what there is to say, and keep the new record; None if docker has to be looked at as a whole."""
        told = self._load()
        if told is None:
            return None
        record, target = self._record, self._record["target"]
        warnings, rows = list(record["warnings"]), [*self._rows(), *told]
        name = record["name"]["name"]
        if target is None:
            title, result = built_title(name, is_changed=self._keep_name()), self._digest
        else:
            sizes, notices = self._push(target)
            self._keep_name()
            warnings += notices
            rows.append(sent_row(sizes))
            title = f"Pushed to {name}"
            result = f"{target['registry']}/{target['repository']}@{self._digest}"
        if self._again is not None:
            write_record(path, record)
        tolerate_encodings()
        for text in warnings:
            console.warning(text)
        show_account(console, title, rows)
        print(result, flush=True)
        return 0

    def _rows(self) -> list[tuple[str, str]]:
        sizes = [int(one["size"]) for one in self._manifest["layers"]]
        new_bytes = 0 if self._again is None else self._again.new_bytes
        base = self._record["image"]["base_shown"]
        return [*account_rows(self._digest, sizes, new_bytes, base), *self._record["rows"]]

    def _load(self) -> list[tuple[str, str]] | None:
        """Let docker have the image, where it had it before; return what there is to say, None if that does not work."""
        record, loaded = self._record, self._record["loaded"]
        if loaded is None:
            return []
        from cogworks.repeat.daemon import NotLoadedError, layers_of, load_again

        now, sent_bytes, sent_layers = loaded, 0, 0
        try:
            if self._again is None:
                layers_of(loaded)
            else:
                platform, layers = record["name"]["platform"], self._again.layers
                now, sent_bytes, sent_layers = load_again(loaded, record["image"], platform, layers)
        except NotLoadedError:
            return None
        self._record = {**record, "loaded": now}
        return loaded_rows(now["engine"], now["program"], now["name"], sent_bytes, sent_layers)

    def _keep_name(self) -> bool:
        """Let the name stand for the image; return whether it stood for another one."""
        name = self._record["name"]
        if named_digest(name) == self._digest:
            return False
        keep_name(self._record, self._manifest, self._digest, self._cache_dir)
        return True

    def _push(self, target: TargetRecord) -> tuple[list[int], list[str]]:
        """Send what the repository is not known to have; return the sizes of that, and what did not work beside it."""
        blobs = [*self._manifest["layers"], self._manifest["config"]]
        missing = {one["digest"]: int(one["size"]) for one in blobs}
        for digest in known_blobs(target):
            missing.pop(digest, None)
        image = self._record["image"]
        contents = self._contents(missing) if target["url"] else None
        if contents is not None:
            from cogworks.repeat.plain_push import NotPlainError, push_plainly

            ahead = None if self._again is None else self._again.ahead
            try:
                push_plainly(target, image, contents, ahead)
            except NotPlainError:
                contents = None
        if contents is None:
            from cogworks.registry.errors import RegistryError
            from cogworks.repeat.client_push import push_by_client

            try:
                return push_by_client(target, image, self._cache_dir, self._environ)
            except RegistryError as error:
                raise UnsentError(error) from error
        if missing:
            note_blobs(target, [one["digest"] for one in blobs], self._cache_dir)
        return list(missing.values()), []

    def _contents(self, missing: Mapping[str, int]) -> dict[str, bytes] | None:
        """Return what is in some blobs; None if they are not all of the code's layers and the configuration."""
        config = self._record["image"]["config"].encode()
        layers = () if self._again is None else self._again.layers
        paths = {str(one.layer.digest): one.path for one in layers}
        found = {self._manifest["config"]["digest"]: config}
        for digest in missing:
            if digest not in found and digest in paths:
                found[digest] = paths[digest].read_bytes()
        return (
            {digest: found[digest] for digest in missing}
            if missing.keys() <= found.keys()
            else None
        )
