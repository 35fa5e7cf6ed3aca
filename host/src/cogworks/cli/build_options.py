"""The options of `cog build` and `cog push`, declared once, and the values that they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from cogworks.cli.build_display import STYLES
from cogworks.cli.errors import NotAvailable
from cogworks.cli.options import file_option, global_options

F = TypeVar("F", bound=Callable[..., Any])

LATEST_TIME_S = 253_402_300_799
"""The last second of the year 9999: RFC 3339, as configurations of images have it, knows four digits."""
COMPRESSIONS = ("gzip", "zstd", "none")


@dataclass(frozen=True)
class BuildOptions:
    """What the options said; None where nothing was said.

    Attributes:
        timestamp_s: seconds since 1970 for everything in the image that has a time.
        secrets: each as it was given.
    """

    config_name: str
    platform: str | None = None
    base_image: str | None = None
    base_python: str | None = None
    use_cuda_base_image: str = "auto"
    use_cog_base_image: bool | None = None
    pull: bool = False
    compression: str = "gzip"
    no_cache: bool = False
    layer_index: str | None = None
    verify_layers: bool = False
    lock: bool = False
    separate_weights: bool = False
    secrets: tuple[str, ...] = ()
    build_engine: str | None = None
    network: str = "default"
    timestamp_s: int | None = None
    openapi_schema: str | None = None
    skip_schema_validation: bool = False
    server_packages: str | None = None
    insecure_registries: tuple[str, ...] = ()
    progress_style: str | None = None


def build_options(function: F) -> F:
    """Add the options that `build` and `push` share; they arrive as the fields of ``BuildOptions``."""
    for option in reversed([*_options(), *_accepted(), global_options]):
        function = option(function)
    return function


def _options() -> list[Callable[[Any], Any]]:
    return [
        file_option,
        click.option(
            "--platform",
            envvar="COG_PLATFORM",
            show_envvar=True,
            metavar="OS/ARCH",
            help="What the image runs on: linux/amd64 or linux/arm64. [default: this machine's]",
        ),
        click.option(
            "--base-image",
            metavar="IMAGE",
            help="Rest the image on IMAGE instead of python:X-slim or cog.yaml's.",
        ),
        click.option(
            "--base-python",
            metavar="PATH|own",
            help="Where the base has its Python, if it does not say: /usr/bin/python3.11; own: bring one along.",
        ),
        click.option(
            "--use-cuda-base-image",
            type=click.Choice(["auto", "true", "false"]),
            default="auto",
            show_default=True,
            help="Whether a GPU project rests on nvidia/cuda; auto: if its packages bring no CUDA.",
        ),
        click.option(
            "--pull", is_flag=True, help="Ask the registry again what the base's tag stands for."
        ),
        click.option(
            "--compression",
            type=click.Choice(COMPRESSIONS),
            default="gzip",
            show_default=True,
            help="How layers are packed; Docker before 23 cannot read zstd.",
        ),
        click.option("--no-cache", is_flag=True, help="Make every layer anew; downloads are kept."),
        click.option(
            "--layer-index",
            envvar="COG_LAYER_INDEX",
            show_envvar=True,
            metavar="REPOSITORY",
            help="Take layers that others have packed from this repository; a push puts ours there.",
        ),
        click.option(
            "--verify-layers",
            is_flag=True,
            help="Pack every layer anew, and compare it with the cache and the index.",
        ),
        click.option(
            "--lock",
            is_flag=True,
            help="Keep the exact packages in pylock.cog.toml beside cog.yaml, and use them next time.",
        ),
        click.option(
            "--secret",
            "secrets",
            multiple=True,
            metavar="id=ID,src=FILE",
            help="A secret for build.run: id=ID,src=FILE or id=ID,env=NAME. May be repeated.",
        ),
        click.option(
            "--engine",
            "build_engine",
            type=click.Choice(["buildah", "docker", "podman", "sandbox"]),
            envvar="COG_BUILD_ENGINE",
            show_envvar=True,
            help="What runs steps that need it: system_packages, build.run. [default: the first of buildah, docker, podman that can be used]",
        ),
        click.option(
            "--network",
            type=click.Choice(["default", "host"]),
            default="default",
            show_default=True,
            help="What those steps reach: the engine's own network, or this machine's.",
        ),
        click.option(
            "--separate-weights",
            is_flag=True,
            help="Give large files that are no code layers of their own from 10 MB on.",
        ),
        click.option(
            "--timestamp",
            "timestamp_s",
            type=click.IntRange(min=-1, max=LATEST_TIME_S),
            envvar="SOURCE_DATE_EPOCH",
            show_envvar=True,
            metavar="SECONDS",
            help="The time of the image, since 1970. [default: 0, so that it is reproducible]",
        ),
        click.option(
            "--openapi-schema",
            metavar="FILE",
            help="Use this OpenAPI document instead of reading the source.",
        ),
        click.option(
            "--skip-schema-validation", is_flag=True, hidden=True, help="Build without a schema."
        ),
        click.option(
            "--server-packages",
            envvar="COG_SERVER_PACKAGES",
            show_envvar=True,
            metavar="FILE",
            help="Requirements of the image's prediction server, for an index that lacks our versions.",
        ),
        click.option(
            "--insecure-registry",
            "insecure_registries",
            multiple=True,
            metavar="HOST[:PORT]",
            help="A registry that may be talked to without encryption. May be repeated.",
        ),
        click.option(
            "--progress",
            "progress_style",
            type=click.Choice(STYLES),
            help="How to show what is going on. [default: BUILDKIT_PROGRESS, or auto]",
        ),
    ]


def _accepted() -> list[Callable[[Any], Any]]:
    """Options of the format that change nothing here: modules are compiled always, layers are shared without a base of ours."""
    return [
        click.option(
            "--use-cog-base-image",
            type=click.BOOL,
            is_flag=False,
            flag_value=True,
            default=None,
            hidden=True,
        ),
        click.option(
            "--dockerfile",
            metavar="FILE",
            hidden=True,
            expose_value=False,
            callback=_refuse_dockerfile,
        ),
        click.option("--strip", is_flag=True, hidden=True, expose_value=False),
        click.option("--precompile", is_flag=True, hidden=True, expose_value=False),
    ]


def _refuse_dockerfile(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise NotAvailable(
            f"--dockerfile {value}: images are built from cog.yaml here. `cog debug` prints the Dockerfile that comes "
            "to the same; change that, and build it with `docker build`."
        )
