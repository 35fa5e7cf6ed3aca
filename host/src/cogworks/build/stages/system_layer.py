"""The layer of `build.system_packages`: what apt installs, directly on the base."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from cogworks.build.cache import CachedLayer
from cogworks.build.errors import CommandError, StageError
from cogworks.build.image import DEFAULT_PATH
from cogworks.build.layer_key import layer_key
from cogworks.build.stages.authorities import FILE as AUTHORITIES
from cogworks.build.stages.below import Below
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.engine import Job
from cogworks.build.stages.stage import SystemPackages
from cogworks.build.stages.stage_layer import BUILD_VARIABLES, STAGE_VERSION, stage_layer
from cogworks.build.stages.tools import Workshop
from cogworks.oci.errors import quoted
from cogworks.oci.image import ImageConfig

_APT = "apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0"
_UNKNOWN = re.compile(
    r"E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate"
    r"|Version '[^']*' for '([^']+)' was not found|Couldn't find any package by (?:glob|regex) '([^']+)')"
)
_NETWORK = re.compile(
    r"Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Connection timed out"
    r"|Network is unreachable"
)


def system_layer(stage: SystemPackages, shop: Workshop) -> CachedLayer:
    """Return the layer of a project's system packages; apt runs unless the cache has it.

    Raises:
        CommandError: apt failed.
        NoEngineError: it has to run, and there is no engine.
        RegistryError: the base cannot be fetched.
    """
    base = shop.base
    platform = base.target.platform
    key = layer_key("system", STAGE_VERSION, base.digest.hex, str(platform), list(stage.packages))

    def job() -> Job:
        shop.progress.stage(f"Installing system packages with {shop.engine.name}")
        below = Below(platform, apt_environment(base.image.config), shop.base_layers)
        command = apt_command(stage.packages, trusts_file=shop.authorities is not None)
        step = Step(command, f"{stage.place}: build.system_packages")
        return Job(below, (step,), network=shop.network, no_cache=not shop.cache.is_reused)

    try:
        return stage_layer(shop, key, ", ".join(stage.packages), job)
    except CommandError as error:
        raise _explained(error, stage) from error


def apt_command(packages: Sequence[str], *, trusts_file: bool = False) -> str:
    """Return what installs packages; each is one word for the shell, whatever is in it.

    Args:
        trusts_file: mirrors are known by the certificates in a file of ours.
    """
    apt = f"{_APT} -o Acquire::https::CAInfo=/{AUTHORITIES}" if trusts_file else _APT
    return f"{apt} -qq update && {apt} -qqy install {shlex.join(packages)}"


def apt_environment(base: ImageConfig) -> Mapping[str, str]:
    """Return the variables that apt runs under: the base's, and no question is asked."""
    return {
        "PATH": DEFAULT_PATH,
        **base.run.env,
        "DEBIAN_FRONTEND": "noninteractive",
        **BUILD_VARIABLES,
    }


def _explained(error: CommandError, stage: SystemPackages) -> StageError:
    """Return the error with the name of the package, if apt told it."""
    text = str(error)
    unknown = [next(filter(None, match.groups())) for match in _UNKNOWN.finditer(text)]
    if unknown:
        names = ", ".join(quoted(one) for one in dict.fromkeys(unknown))
        what = (
            f"{stage.place}: build.system_packages: the base image's Debian or Ubuntu has no package {names}. "
            "Look for its name in that release, or add the repository that has it to a base of your own."
        )
    elif "apt-get: not found" in text or "apt-get: command not found" in text:
        what = (
            f"{stage.place}: build.system_packages: the base image has no apt-get. "
            "Use one that rests on Debian or Ubuntu."
        )
    elif _NETWORK.search(text):
        what = (
            f"{stage.place}: build.system_packages: apt cannot reach its mirrors. Check the network; behind a "
            "proxy, set HTTP_PROXY and HTTPS_PROXY; if only this machine's own network works, use its network."
        )
    else:
        return error
    return StageError(f"{what}\n{text}")
