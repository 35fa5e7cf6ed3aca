"""What stages need: a base, the cache, an engine, the network; no engine and no registry is asked before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cogworks.build.base_image import Base
from cogworks.build.cache import Cache
from cogworks.build.stages.authorities import find_authorities
from cogworks.build.stages.below import LocalLayer
from cogworks.build.stages.engine import Engine, Network
from cogworks.build.stages.secrets import SecretSource
from cogworks.build.stages.stage import Stage
from cogworks.engines.progress import Progress
from cogworks.oci.layer import Codec

if TYPE_CHECKING:
    from cogworks.registry.client import Client

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Variables that name proxies, in both spellings; builders keep them out of images. Source: Docker's predefined ARGs."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What a user may choose.

    Attributes:
        engine: the name of the engine; None for the first that can be used.
        has_host_network: commands use this machine's network as it is.
    """

    engine: str | None = None
    secrets: tuple[SecretSource, ...] = ()
    has_host_network: bool = False


@dataclass(frozen=True)
class Workshop:
    """Where the stages of one build are done.

    Attributes:
        codec: how their layers are packed.
        connect: returns the client that fetches the base's layers.
        stages: what has to be executed; an error that no engine is there tells why.
        environment: the variables of this machine: where programs, daemons and proxies are.
    """

    base: Base
    cache: Cache
    codec: Codec
    progress: Progress
    connect: Callable[[], Client]
    stages: Sequence[Stage]
    options: StageOptions = StageOptions()
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @cached_property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            NoEngineError: none can be used.
        """
        # Here, since most builds execute nothing.
        from cogworks.build.stages.choose import choose_engine

        reasons = [one.reason for one in self.stages]
        return choose_engine(self.environment, reasons, self.options.engine)

    @cached_property
    def network(self) -> Network:
        """How commands reach the network."""
        proxies = dict(_proxies(self.environment))
        urls = (value for name, value in proxies.items() if name.upper() != "NO_PROXY")
        # Such a proxy is nowhere in another network.
        is_host = self.options.has_host_network or any(is_loopback(url) for url in urls)
        return Network(is_host, proxies)

    @cached_property
    def authorities(self) -> str | None:
        """The certificate authorities that commands trust, in PEM; None for those of the base.

        Raises:
            StageError: `COG_CA_CERT` names none.
        """
        return find_authorities(self.environment)

    @cached_property
    def base_layers(self) -> tuple[LocalLayer, ...]:
        """The base's layers on this machine.

        Raises:
            RegistryError: they cannot be fetched.
        """
        from cogworks.build.stages.base_layers import fetch_base

        return fetch_base(self.base, self.cache, self.connect, self.progress)


def anonymous_client() -> Client:
    """Return a client without credentials."""
    from cogworks.registry.client import Client

    return Client()


def _proxies(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables in both spellings: apt and curl read only the lower one, others only the upper one."""
    for name in PROXIES:
        upper, lower = environment.get(name), environment.get(name.lower())
        value = lower or upper
        if value:
            yield name, upper or value
            yield name.lower(), value


def is_loopback(url: str) -> bool:
    """Tell whether a URL, or a host with a port, leads to this machine itself."""
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return False
    return host in _LOOPBACK
