"""Keep what a build or a push has come to, so that the same call can be made the short way (`cli.repeat`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.cli.account import Rows
from cogworks.cli.build_display import JsonBuild
from cogworks.cli.build_options import BuildOptions
from cogworks.cli.building import Building, base_shown
from cogworks.cli.cache_folder import cache_folder
from cogworks.repeat.call import call_key, may_repeat, record_path

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage
    from cogworks.cli.loading import Loading
    from cogworks.oci.reference import Reference
    from cogworks.project import Project
    from cogworks.registry.push import Pushed
    from cogworks.repeat.shape import LoadedRecord, TargetRecord

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def remember_build(
    building: Building, image: BuiltImage, name: Reference, rows: Rows, loading: Loading
) -> None:
    """Keep a record of a build.

    Args:
        rows: what was said of not loading it.
    """
    if is_repeatable(building) and loading.is_repeatable:
        loaded, programs = loading.loaded, loading.absent_programs
        rows = rows if loaded is None else []
        _remember(building, image, name, rows=rows, programs=programs, loaded=loaded)


def remember_push(building: Building, image: BuiltImage, name: Reference, pushed: Pushed) -> None:
    """Keep a record of a push."""
    # The tag of a model is the time, if it has no other one.
    if is_repeatable(building) and not pushed.notices and building.project.model is None:
        _remember(building, image, name, target=_target(building, name))


def is_repeatable(building: Building) -> bool:
    """Tell whether nothing but files and the call itself decides on what this build comes to."""
    state = building.state
    return (
        may_repeat(state.arguments)
        and not state.console.debug
        and not isinstance(building.display, JsonBuild)
        and not state.environ.get("COG_OPENAPI_SCHEMA")
        and not _asks_for_more(building.options)
        and not _has_secrets(building.project)
    )


def _asks_for_more(options: BuildOptions) -> bool:
    return bool(
        options.no_cache
        or options.pull
        or options.verify_layers
        or options.layer_index
        or options.openapi_schema
        or options.skip_schema_validation
        or options.secrets
        or options.use_cog_base_image
    )


def _has_secrets(project: Project) -> bool:
    return any(command.mounts for command in project.build.run)


def _remember(
    building: Building,
    image: BuiltImage,
    name: Reference,
    *,
    rows: Rows | None = None,
    programs: tuple[str, ...] = (),
    target: TargetRecord | None = None,
    loaded: LoadedRecord | None = None,
) -> None:
    from cogworks.oci.reference import parse_reference
    from cogworks.repeat.remember import Done, remember

    state, project = building.state, building.project
    key = call_key(state.arguments, os.getcwd(), state.called_with, is_terminal=state.is_terminal)
    choice = building.base_choice
    config = project.config_path.name
    remember(
        Done(
            path=record_path(cache_folder(state.environ), key),
            began_at=state.began_at,
            directory=Path.cwd(),
            environ=state.environ,
            cache=building.builder.cache,
            project=project,
            how=building.how,
            asked_base=parse_reference(choice.reference),
            base_shown=base_shown(image),
            name=name,
            image=image,
            warnings=[*project.warnings, *(one.render(config) for one in choice.warnings)],
            rows=rows or (),
            programs=programs,
            target=target,
            loaded=loaded,
        )
    )


def _target(building: Building, name: Reference) -> TargetRecord:
    from cogworks.build.mount_sources import MountSources

    transport = building.registries.client.transport
    url = transport.addresses.base_url(name.registry)
    has_proxy = any(
        building.state.environ.get(one) for each in _PROXIES for one in (each, each.upper())
    )
    is_plain = (
        url.startswith("http://") and not has_proxy and not transport.is_authorized(name.registry)
    )
    return {
        "registry": name.registry,
        "repository": name.repository.name,
        "tag": name.tag or name.identifier,
        "url": url if is_plain else "",
        "insecure": list(building.options.insecure_registries),
        "seen": str(MountSources(building.builder.cache).path(name.registry)),
    }
