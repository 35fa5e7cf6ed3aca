"""`cog push`: the project's image, built if need be, to a registry that gets only what it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cogworks.cli.account import sent_row, show_account
from cogworks.cli.build_display import Transfer
from cogworks.cli.build_options import build_options
from cogworks.cli.building import Building, account, start_building
from cogworks.cli.options import CONTEXT_SETTINGS
from cogworks.cli.remembering import remember_push

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage
    from cogworks.build.layers import NamedLayer
    from cogworks.oci.reference import Reference
    from cogworks.registry.push import Pushed
    from cogworks.registry.upload import BlobProgress

HELP = """Push the model's image to a registry.

It is built first, or taken as it was built before. Only what the registry lacks is sent, several
layers at once; layers of the base are taken from where they are. The pinned name goes to stdout.

\b
Examples:
  cog push registry.example/me/my-model:v1
  cog push                                      to cog.yaml's image or model
  cog push localhost:5000/my-model
"""


@click.command("push", help=HELP, context_settings=CONTEXT_SETTINGS)
@click.argument("image", required=False)
@build_options
@click.pass_context
def command(context: click.Context, /, image: str | None, **values: Any) -> None:
    """Push the image of the project in this folder."""
    from cogworks.build.names import push_target

    with start_building(context, values) as building:
        target = push_target(building.project, image, building.state.environ, datetime.now(UTC))
        built, pushed = _push(building, target)
        building.keep(target, built)
        for notice in pushed.notices:
            building.display.warning(notice)
        building.display.close()
        rows = [*account(built), sent_row(_sent_sizes(built, pushed))]
        show_account(building.state.console, f"Pushed to {target.familiar}", rows)
        click.echo(f"{target.repository}@{pushed.digest}")
        remember_push(building, built, target, pushed)


def _push(building: Building, target: Reference) -> tuple[BuiltImage, Pushed]:
    """Build the image and push it; layers are on their way as soon as they are there."""
    from cogworks.build.mount_sources import MountSources
    from cogworks.build.publish import Publication
    from cogworks.registry.upload import UploadRules

    base = building.find_base()
    titles: dict[str, str] = {}

    def tell(event: BlobProgress) -> None:
        what = titles.get(str(event.digest), event.digest.short)
        outcome = event.outcome.value if event.outcome else ""
        building.display.transfer(Transfer(what, event.sent_bytes, event.size_bytes, outcome))

    rules = UploadRules(on_progress=tell)
    seen = MountSources(building.builder.cache)
    with Publication(
        building.registries.client, target, base, rules, seen, building.layer_index
    ) as publication:

        def send(layer: NamedLayer) -> None:
            titles[str(layer.cached.layer.digest)] = layer.title
            publication.add(layer)

        image = building.build(base, send)
        building.display.stage(f"Pushing to {target.familiar}")
        return image, publication.finish(image)


def _sent_sizes(image: BuiltImage, pushed: Pushed) -> list[int]:
    sizes = {one.digest: one.size_bytes for one in image.manifest.blobs}
    return [sizes[digest] for digest in pushed.uploaded if digest in sizes]
