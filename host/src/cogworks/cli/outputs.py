"""Prints and writes what a prediction gives: results on stdout, where files went on stderr.

A sink is chosen from the schema of the model's output and from the options, once, before
anything is started, so that an `-o` that cannot be written costs nothing. It is told of each
item as it is yielded and of the finished prediction; what it was not told of as an item it
takes from the latter.

    -o given               everything, in a file, at the end
    --json                 one object for programs, at the end
    iterator of text       `ConcatenateIterator`: the text, as it is yielded
    iterator of files      NAME.0.png, NAME.1.png, ... as they are yielded
    other iterators        a JSON array whose items appear as they are yielded
    anything else          text raw, files on disk, the rest as indented JSON
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

import click

from cogworks.cli.console import Console
from cogworks.cli.errors import PredictionFailed
from cogworks.cli.input_schema import Schema
from cogworks.cli.json_values import is_array
from cogworks.cli.output_files import FileWriter, Target, is_files, require_writable_folder

Snapshot = Mapping[str, Any]
"""A prediction as the API shows it: status, output, error, metrics and the rest."""

FILE: Schema = {"type": "string", "format": "uri"}


class Sink(Protocol):
    """Takes the output of one prediction."""

    def item(self, index: int, value: Any) -> None:
        """Take an item of an iterator as it is yielded."""
        ...

    def finish(self, snapshot: Snapshot) -> None:
        """Take the finished prediction.

        Raises:
            PredictionFailed: it did not succeed.
        """
        ...


def choose_sink(schema: Schema, target: Target, console: Console, *, as_json: bool) -> Sink:
    """Return the sink for an output of this schema."""
    writer = FileWriter(target, console, keep_extension=is_files(schema) and not as_json)
    if is_files(schema) and target.path is None:
        require_writable_folder()
    if as_json:
        return JsonReport(schema, writer, console)
    if target.path is None and schema.get("x-cog-array-type") == "iterator":
        if schema.get("x-cog-array-display") == "concatenate":
            return LiveText(console)
        if is_files(schema):
            return LiveFiles(writer, console)
        return LiveItems(schema, writer, console)
    return Whole(schema, writer, console)


class Whole:
    """Prints or writes the output when the prediction is finished."""

    def __init__(self, schema: Schema, writer: FileWriter, console: Console) -> None:
        self._schema = schema
        self._writer = writer
        self._console = console

    def item(self, index: int, value: Any) -> None:
        """Nothing is shown before the end."""

    def finish(self, snapshot: Snapshot) -> None:
        """Print or write the output."""
        _raise_unless_succeeded(snapshot)
        output = snapshot.get("output")
        if output is None:
            self._console.warning("No output generated")
        else:
            self._show(output)

    def _show(self, output: Any) -> None:
        if self._schema.get("x-cog-array-display") == "concatenate" and is_array(output):
            output = "".join(map(str, output))
        shown = self._writer.save_files(output, self._schema)
        if is_files(self._schema) and _all_differ(output, shown):
            return  # The paths of the files are on stderr already.
        text = shown if isinstance(shown, str) else to_json(shown)
        if self._writer.target.path is None:
            click.echo(text)
        else:
            self._writer.write_text(text)


class JsonReport:
    """Prints or writes `{"status", "output", "error", "metrics"}`; for programs."""

    def __init__(self, schema: Schema, writer: FileWriter, console: Console) -> None:
        self._schema = schema
        self._writer = writer
        path = writer.target.path
        if path is not None and path.suffix != ".json":
            console.warning(f"{path} has no .json extension, but JSON is written to it")

    def item(self, index: int, value: Any) -> None:
        """Nothing is shown before the end."""

    def finish(self, snapshot: Snapshot) -> None:
        """Print or write the report."""
        report = {name: snapshot.get(name) for name in ("status", "output", "error", "metrics")}
        report["output"] = self._writer.save_files(report["output"], self._schema)
        if self._writer.target.path is None:
            click.echo(to_json(report))
        else:
            self._writer.write_text(to_json(report))
        _raise_unless_succeeded(snapshot)


class LiveText:
    """Prints the pieces of one text as they are yielded."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0
        self._last = ""

    def item(self, index: int, value: Any) -> None:
        """Print a piece, once."""
        if index != self._printed:
            return
        self._printed += 1
        self._last = str(value) or self._last
        click.echo(str(value), nl=False)

    def finish(self, snapshot: Snapshot) -> None:
        """Print what is left and end the line."""
        for index, value in _items(snapshot):
            self.item(index, value)
        if self._printed and not self._last.endswith("\n"):
            click.echo()
        _raise_unless_succeeded(snapshot)
        if not self._printed:
            self._console.warning("No output generated")


class LiveItems:
    """Prints a JSON array, item by item; whole, it is what `json.dumps` with an indent gives."""

    def __init__(self, schema: Schema, writer: FileWriter, console: Console) -> None:
        self._items = cast(Schema, schema.get("items", {}))
        self._writer = writer
        self._console = console
        self._printed = 0

    def item(self, index: int, value: Any) -> None:
        """Print an item, once."""
        if index != self._printed:
            return
        self._printed += 1
        saved = self._writer.save_files(value, self._items, (str(index),))
        text = to_json(saved).replace("\n", "\n  ")
        click.echo(f"{',' if index else '['}\n  {text}", nl=False)

    def finish(self, snapshot: Snapshot) -> None:
        """Print what is left and close the array."""
        for index, value in _items(snapshot):
            self.item(index, value)
        if self._printed:
            click.echo("\n]")
        elif isinstance(snapshot.get("output"), list):
            click.echo("[]")
        _raise_unless_succeeded(snapshot)
        if snapshot.get("output") is None:
            self._console.warning("No output generated")


class LiveFiles:
    """Writes files as they are yielded."""

    def __init__(self, writer: FileWriter, console: Console) -> None:
        self._writer = writer
        self._console = console
        self._written = 0

    def item(self, index: int, value: Any) -> None:
        """Write a file, once."""
        if index != self._written:
            return
        self._written += 1
        saved = self._writer.save_files(value, FILE, (str(index),))
        if saved == value:  # The URL of a file that lives elsewhere.
            click.echo(value)

    def finish(self, snapshot: Snapshot) -> None:
        """Write what is left."""
        for index, value in _items(snapshot):
            self.item(index, value)
        _raise_unless_succeeded(snapshot)
        if not self._written:
            self._console.warning("No output generated")


def to_json(value: Any) -> str:
    """Return indented JSON as the commands print it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _items(snapshot: Snapshot) -> list[tuple[int, Any]]:
    output = snapshot.get("output")
    return list(enumerate(output)) if is_array(output) else []


def _all_differ(before: Any, after: Any) -> bool:
    """Return whether every file was replaced: the URL of one that lives elsewhere is not."""
    if is_array(before):
        pairs = zip(before, after, strict=True)
        return all(old != new for old, new in pairs)
    return bool(before != after)


def _raise_unless_succeeded(snapshot: Snapshot) -> None:
    status = str(snapshot.get("status"))
    if status != "succeeded":
        raise PredictionFailed(status, snapshot.get("error"))
