from __future__ import annotations

import threading

import pytest

from cogworks.oci.reference import Reference, Repository
from cogworks.registry.client import Client
from cogworks.registry.errors import CutError

from .silent import SilentServer

LONG_S = 30


def test_who_waits_for_an_answer_goes_on_when_connections_are_cut() -> None:
    ends: list[BaseException] = []

    def ask(client: Client, reference: Reference) -> None:
        try:
            client.find_manifest(reference)
        except BaseException as error:
            ends.append(error)

    with SilentServer() as server, Client() as client:
        reference = Reference(Repository(server.host, "m"), "v1")
        thread = threading.Thread(target=ask, args=(client, reference))
        thread.start()
        assert server.asked.wait(LONG_S)
        client.cut()
        thread.join(LONG_S)
        assert not thread.is_alive()
        # A broken connection is worth another try, but not now.
        assert [type(one) for one in ends] == [CutError]


def test_after_a_cut_nothing_is_asked() -> None:
    with SilentServer() as server, Client() as client:
        client.cut()
        with pytest.raises(CutError):
            client.find_manifest(Reference(Repository(server.host, "m"), "v1"))
        assert not server.asked.is_set()
