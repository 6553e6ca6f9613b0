"""A cluster behind TLS: both sides prove who they are, an API key goes along, a namespace is made fit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from assembly import build_services, connect
from casework.engine import EngineUnavailable
from casework.namespace import RETENTION, Namespace, look_at, prepare
from settings import Settings
from tests.support.house import KEYRING, KEYS
from tests.support.running import bancheng
from tests.support.temporal import TemporalServer
from tests.support.tls import Authority, Gate, Issued, tls_in_front_of

CLUSTER = "temporal.hall.example"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signs for the cluster and for its clients."""
    return Authority(tmp_path, "authority")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """An authority that nobody here trusts."""
    return Authority(tmp_path, "stranger")


@pytest.fixture
def worker(authority: Authority) -> Issued:
    """The certificate of our processes."""
    return authority.issue("worker")


@pytest.fixture
async def gate(temporal_server: TemporalServer, authority: Authority) -> AsyncIterator[Gate]:
    """The cluster, which asks its clients for certificates."""
    own = authority.issue(CLUSTER)
    async with tls_in_front_of(temporal_server.port, own, authority.certificate) as opened:
        yield opened


def settings(gate: Gate, **more: Any) -> Settings:
    named = {
        f"temporal_tls_{name}" if name != "api_key" else "temporal_api_key": v for name, v in more.items()
    }
    return Settings(temporal_address=gate.address, **named)


def own(issued: Issued) -> dict[str, Path]:
    return {"client_cert": issued.certificate, "client_key": issued.key}


async def answers(given: Settings) -> bool:
    """Whether a client with these settings is let in and heard."""
    services = build_services(given.model_copy(update={"payload_keys": None}), None)
    try:
        return await services.engine.reachable()
    finally:
        await services.database.close()


async def test_both_sides_prove_who_they_are(gate: Gate, authority: Authority, worker: Issued) -> None:
    client = await connect(settings(gate, server_root_ca=authority.certificate, **own(worker)), KEYRING)
    assert await client.service_client.check_health()


@pytest.mark.parametrize("fault", ["other authority", "no certificate", "a stranger's", "plain"])
async def test_whoever_proves_nothing_is_not_let_in(
    gate: Gate, authority: Authority, stranger: Authority, worker: Issued, fault: str
) -> None:
    given: dict[str, dict[str, Any]] = {
        "other authority": {"server_root_ca": stranger.certificate, **own(worker)},
        "no certificate": {"server_root_ca": authority.certificate},
        "a stranger's": {"server_root_ca": authority.certificate, **own(stranger.issue("intruder"))},
        "plain": {},
    }
    with pytest.raises(RuntimeError):
        client = await connect(settings(gate, **given[fault]), KEYRING)
        assert not await client.service_client.check_health(timeout=timedelta(seconds=5))


async def test_the_name_in_the_certificate_counts(
    temporal_server: TemporalServer, authority: Authority
) -> None:
    """A cluster that is reached by another name or address than its certificate has."""
    elsewhere = authority.issue(CLUSTER, address="192.0.2.1")
    async with tls_in_front_of(temporal_server.port, elsewhere) as gate:
        ca = {"server_root_ca": authority.certificate}
        with pytest.raises(RuntimeError):
            await connect(settings(gate, **ca), KEYRING)
        with pytest.raises(RuntimeError):
            await connect(settings(gate, domain="other.example", **ca), KEYRING)
        client = await connect(settings(gate, domain=CLUSTER, **ca), KEYRING)
        assert await client.service_client.check_health()


async def test_an_api_key_goes_along_and_only_through_tls(
    temporal_server: TemporalServer, authority: Authority
) -> None:
    async with tls_in_front_of(temporal_server.port, authority.issue(CLUSTER)) as gate:
        given = settings(gate, server_root_ca=authority.certificate, api_key="key-of-bancheng")
        client = await connect(given, KEYRING)
        await look_at(client)
        assert gate.authorizations == {"Bearer key-of-bancheng"}
        with pytest.raises(RuntimeError):  # alone it means TLS, by authorities that the system knows
            await connect(settings(gate, api_key="key-of-bancheng"), KEYRING)


async def test_an_outage_says_what_is_wrong(gate: Gate, stranger: Authority, tmp_path: Path) -> None:
    given = settings(gate, server_root_ca=stranger.certificate).model_copy(update={"data_dir": tmp_path})
    services = build_services(given)
    assert await services.engine.reachable() is False
    with pytest.raises(EngineUnavailable, match=r"certificate|tls|transport"):
        await services.engine.client()
    await services.database.close()


async def of(server: TemporalServer, namespace: str) -> Client:
    return await server.client(namespace=namespace)


async def test_a_missing_namespace_is_made_with_ninety_days(temporal_server: TemporalServer) -> None:
    client = await of(temporal_server, "made-here")
    assert await look_at(client) == Namespace("made-here", None)
    assert await prepare(client) == Namespace("made-here", RETENTION)
    assert await prepare(client) == Namespace("made-here", RETENTION)


@pytest.mark.parametrize(("days", "kept"), [(3, 90), (400, 400)])
async def test_retention_is_lengthened_and_never_shortened(
    temporal_server: TemporalServer, days: int, kept: int
) -> None:
    client = await of(temporal_server, f"kept-{days}")
    request = RegisterNamespaceRequest(namespace=client.namespace)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=days))
    await client.workflow_service.register_namespace(request)
    assert (await look_at(client)).sound is (days >= 90)
    assert await prepare(client) == Namespace(client.namespace, timedelta(days=kept))


async def test_the_command_line_checks_and_prepares(
    gate: Gate, authority: Authority, worker: Issued, tmp_path: Path
) -> None:
    given = {
        "temporal_address": gate.address,
        "temporal_namespace": "by-hand",
        "temporal_tls_server_root_ca": authority.certificate,
        "temporal_tls_client_cert": worker.certificate,
        "temporal_tls_client_key": worker.key,
        "payload_keys": KEYS,
    }

    async def said(*command: str) -> tuple[int, str]:
        return await asyncio.to_thread(bancheng, tmp_path, *command, **given)

    code, text = await said("engine", "check")
    assert (code, "不存在" in text, "engine prepare" in text) == (1, True, True), text
    code, text = await said("engine", "prepare")
    assert (code, "保留 90 天" in text, "mTLS" in text) == (0, True, True), text
