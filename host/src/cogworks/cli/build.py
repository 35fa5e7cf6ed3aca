"""`cog build`: an image of the project, made here without a daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cogworks.cli.account import built_title, show_account
from cogworks.cli.build_options import build_options
from cogworks.cli.building import Building, account, start_building
from cogworks.cli.errors import OptionError
from cogworks.cli.loading import Loading
from cogworks.cli.options import CONTEXT_SETTINGS
from cogworks.cli.remembering import remember_build

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage
    from cogworks.oci.reference import Reference

HELP = """Build an image of the model.

The image is put together here, layer by layer; no Docker is needed. Where docker or podman can be
reached, it is loaded there too. The digest goes to stdout; the same project gives the same digest.

\b
Examples:
  cog build
  cog build -t my-model
  cog build --explain                           what would be done, and why
  cog build -t my-model --platform linux/arm64
  cog build --output my-model.tar               an OCI layout in one file; a folder: out/
"""


@click.command("build", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.option(
    "-t",
    "--tag",
    metavar="NAME",
    help="The image's name. [default: cog.yaml's image or model, or cog-FOLDER]",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Write an OCI layout: a folder, or one file if PATH ends in .tar.",
)
@click.option(
    "--load/--no-load",
    "load",
    default=None,
    help="Load the image into docker or podman, or do not. [default: if one can be used, without --output]",
)
@click.option("--explain", is_flag=True, help="Say what would be done and why, and do nothing.")
@build_options
@click.pass_context
def command(
    context: click.Context,
    /,
    tag: str | None,
    output: str | None,
    load: bool | None,
    explain: bool,
    **values: Any,
) -> None:
    """Build an image of the project in this folder."""
    from cogworks.build.names import image_name

    with start_building(context, values) as building:
        name = image_name(building.project, tag)
        place = None if output is None else _checked(output)
        if explain:
            _explain(building, name)
            return
        loading = Loading(building, wanted=False if load is None and place else load)
        image = building.build(building.find_base())
        is_changed = building.keep(name, image)
        rows = account(image)
        if place is not None:
            rows.append(("written to", _write(building, image, place, name)))
        told = loading.load(image, name)
        building.display.close()
        title = built_title(name.familiar, is_changed=is_changed)
        show_account(building.state.console, title, [*rows, *told])
        click.echo(str(image.digest))
        if output is None:
            remember_build(building, image, name, told, loading)


def _checked(output: str) -> Path:
    """Return where a layout goes, once it is known that it can go there."""
    from cogworks.build.layout import check_place

    if not output:
        raise OptionError("--output: name a file that ends in .tar, or a folder.")
    check_place(Path(output))
    return Path(output)


def _write(building: Building, image: BuiltImage, path: Path, name: Reference) -> str:
    """Write an OCI layout and return where."""
    from cogworks.build.layout import write_layout

    building.display.stage(f"Writing {path}")
    blobs = image.blobs(building.registries.client)
    platform = image.config.platform
    write_layout(path, image.manifest, platform, blobs, name.familiar, image.artifacts)
    return str(path)


def _explain(building: Building, name: Reference) -> None:
    """Print the steps of a build, with the reason for each."""
    steps = building.plan()
    click.echo(f"{name.familiar}, lowest layer first:")
    width = max(len(step.title) for step in steps)
    for step in steps:
        mark = "*" if step.needs_engine else " "
        click.echo(f"{mark} {step.title:{width}}  {step.what}")
        click.echo(f"  {'':{width}}  {click.style(step.reason, dim=building.state.console.color)}")
    if any(step.needs_engine for step in steps):
        click.echo(
            "* is executed in a container, by buildah, docker or podman, or as --engine says."
        )
