"""`cog debug`: the image as a Dockerfile, for whoever has to build with Docker, and for a look at what is in it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cogworks.cli.build_options import build_options
from cogworks.cli.building import Building, start_building
from cogworks.cli.options import CONTEXT_SETTINGS

if TYPE_CHECKING:
    from cogworks.build.docker_context import DockerContext
    from cogworks.build.dockerfile import Recipe
    from cogworks.build.stages.secrets import SecretSource
    from cogworks.oci.reference import Reference

HELP = """Print the Dockerfile that comes to the same image as `cog build`.

With -o FOLDER it is written together with what it copies: packages, server, the project. Docker 20.10 or newer
builds that, and asks no package index.

\b
Examples:
  cog debug
  cog debug -o context && docker build -t my-model context
"""


@click.command("debug", help=HELP, context_settings=CONTEXT_SETTINGS, hidden=True)
@click.option(
    "--image-name",
    metavar="NAME",
    help="The image's name. [default: cog.yaml's image or model, or cog-FOLDER]",
)
@click.option(
    "-o", "--output", metavar="FOLDER", help="Write the Dockerfile and what it copies to FOLDER."
)
@build_options
@click.pass_context
def command(
    context: click.Context, /, image_name: str | None, output: str | None, **values: Any
) -> None:
    """Print or write the Dockerfile of the project in this folder."""
    from cogworks.build import names

    with start_building(context, values, needs_secrets=False) as building:
        name = names.image_name(building.project, image_name)
        if output is None:
            from cogworks.build.dockerfile import dockerfile

            click.echo(dockerfile(building.project, _recipe(building)), nl=False)
            return
        written = _write(building, Path(output))
        for notice in written.notices:
            building.display.warning(notice)
        building.display.close()
        building.state.console.info(f"Written to {output}. Docker builds it with:")
        click.echo(" ".join(_command(building, written, name)))


def _recipe(building: Building) -> Recipe:
    """Return what is known without asking a registry or an index."""
    from cogworks.build.base_image import OWN
    from cogworks.build.docker_context import labels_of, read_project
    from cogworks.build.dockerfile import Recipe
    from cogworks.build.standalone import interpreter_of, prefix_of
    from cogworks.build.target import OLDEST_SERVER_PYTHON, SERVER_PYTHON
    from cogworks.engines.requirement_lines import requirement_lines

    project, how = building.project, building.how
    python = project.build.python_minor
    given = building.options.base_python
    brings = building.base_choice.needs_interpreter or given == OWN
    model = interpreter_of(python) if brings else given or f"python{'.'.join(map(str, python))}"
    is_old = python < OLDEST_SERVER_PYTHON
    pythons = [python] * brings + [SERVER_PYTHON] * is_old
    return Recipe(
        base=building.base_choice.reference,
        python=python,
        model_python=model,
        server_python=interpreter_of(SERVER_PYTHON) if is_old else model,
        architecture=building.platform.architecture,
        brought=tuple(prefix_of(one).rpartition("/")[2] for one in pythons),
        weights=tuple(one.path for one in read_project(project, how).weights),
        has_packages=bool(requirement_lines(project)),
        has_document=bool(building.document),
        user=how.user,
        labels=labels_of(project, building.document, how.revision),
    )


def _write(building: Building, folder: Path) -> DockerContext:
    from cogworks.build.docker_context import write_context

    return write_context(
        folder,
        building.project,
        building.find_base(),
        building.builder.cache,
        building.display,
        building.how,
        building.state.environ,
    )


def _command(building: Building, written: DockerContext, name: Reference) -> list[str]:
    """Return what builds the folder, as words of a shell's command."""
    from cogworks.build.labels import FREEZE
    from cogworks.build.products import FREEZE_FILE

    # Without the variable, docker before 23 uses the builder that cannot bind folders.
    command = ["DOCKER_BUILDKIT=1", "docker", "build", "--tag", shlex.quote(name.familiar)]
    if building.options.platform is not None:
        command += ["--platform", str(building.platform)]
    if building.how.created_s:
        command += ["--build-arg", f"SOURCE_DATE_EPOCH={building.how.created_s}"]
    sources = {one.id: one for one in building.how.stages.secrets}
    for secret in written.secrets:
        command += ["--secret", shlex.quote(_spelled(secret, sources.get(secret)))]
    # A label with line breaks, which a Dockerfile cannot say.
    frozen = shlex.quote(str(written.folder / FREEZE_FILE))
    command += ["--label", f'"{FREEZE}=$(cat {frozen})"']
    return [*command, shlex.quote(str(written.folder))]


def _spelled(secret: str, source: SecretSource | None) -> str:
    """Return what docker is told of a secret; one that was not given is a file that is yet to be named."""
    if source is None:
        return f"id={secret},src={secret}"
    return (
        f"id={secret},env={source.variable}"
        if source.path is None
        else f"id={secret},src={source.path}"
    )
