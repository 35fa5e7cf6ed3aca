"""The inputs and the output of a model as a table, or as a list where the terminal is narrow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cogworks.cli.input_schema import Schema, read_input_schema
from cogworks.cli.schema_words import describe_default, describe_limits, describe_type

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("Input", "Type", "Default", "Limits", "Description")
NARROW = 60
"""Columns below which five columns side by side are no help."""
PIPED_WIDTH = 100_000
"""Nothing is wrapped for a program that reads: a row is a line."""


@dataclass(frozen=True)
class Row:
    """One input, in words."""

    name: str
    type: str
    default: str
    limits: str
    description: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of the headings; each on one line."""
        cells = (self.name, self.type, self.default, self.limits, self.description)
        return tuple(" ".join(cell.split()) for cell in cells)


@dataclass(frozen=True)
class Section:
    """The model or the training of a project."""

    title: str
    rows: tuple[Row, ...]
    output: str


def read_sections(document: Schema) -> list[Section]:
    """Return what the document says of each mode that it has."""
    components = document.get("components", {}).get("schemas", {})
    return [
        _read_section(title, prefix, document)
        for title, prefix in (("run", ""), ("train", "Training"))
        if f"{prefix}Input" in components
    ]


def _read_section(title: str, prefix: str, document: Schema) -> Section:
    context = read_input_schema(document, f"{prefix}Input")
    rows = tuple(
        Row(
            name,
            describe_type(schema, context),
            describe_default(name, schema, context.required),
            describe_limits(schema, context),
            str(schema.get("description", "")),
        )
        for name, schema in context.properties.items()
    )
    output = context.components.get(f"{prefix}Output", {})
    words = describe_type(output, context) + (" or null" if output.get("nullable") else "")
    return Section(title, rows, words)


def render(sections: Sequence[Section], *, color: bool) -> str:
    """Return the text to print: for the terminal that stdout is, or for a pipe."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    console = Console(
        no_color=not color,
        force_terminal=is_terminal and color,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if is_terminal else PIPED_WIDTH,
    )
    with console.capture() as captured:
        for number, section in enumerate(sections):
            if number:
                console.print()
            _print_section(console, section, is_titled=len(sections) > 1, is_terminal=is_terminal)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _print_section(
    console: Console, section: Section, *, is_titled: bool, is_terminal: bool
) -> None:
    from rich.text import Text

    if is_titled:
        console.print(Text(section.title, style="bold underline"))
    if not section.rows:
        console.print("The model takes no inputs.")
    elif is_terminal and console.width < NARROW:
        _print_list(console, section.rows)
    else:
        _print_table(console, section.rows, is_terminal)
    console.print(
        Text.assemble(("Output", "bold"), f"  {section.output}"), soft_wrap=not is_terminal
    )


def _print_table(console: Console, rows: Sequence[Row], is_terminal: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD if is_terminal else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0) if not is_terminal else (0, 1),
        header_style="bold",
    )
    used = [n for n in range(len(HEADINGS)) if n == 0 or any(row.cells[n] for row in rows)]
    for number in used:
        # Folding cuts long words instead of dropping their ends.
        table.add_column(HEADINGS[number], overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(row.cells[number]) for number in used))
    console.print(table)


def _print_list(console: Console, rows: Sequence[Row]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    for row in rows:
        console.print(Text(row.name, style="bold"), overflow="fold")
        for heading, cell in zip(HEADINGS[1:], row.cells[1:], strict=True):
            if cell:
                line = Text.assemble((f"{heading.lower()}: ", "dim"), cell, overflow="fold")
                console.print(Padding(line, (0, 0, 0, 2)))
