"""How the settings become connections and services."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import TLSConfig

from assembly import BadSettings, build_services, connect
from models.codec import SealingCodec
from serving import rehearsal_settings
from settings import Settings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the client was asked to connect to."""
    found: dict[str, Any] = {}

    async def note(address: str, **options: Any) -> None:
        found.update(options, address=address)

    monkeypatch.setattr(Client, "connect", note)
    return found


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **given)  # type: ignore[call-arg]


async def test_a_cluster_is_reached_as_the_settings_say(asked: dict[str, Any], tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("CA")
    given = settings(
        tmp_path,
        temporal_address="temporal.example:7233",
        temporal_namespace="halls",
        temporal_api_key="secret",
        temporal_tls_server_root_ca=certificate,
        temporal_tls_domain="temporal",
    )
    await connect(given, given.keyring())
    assert (asked["address"], asked["namespace"], asked["api_key"]) == (
        "temporal.example:7233",
        "halls",
        "secret",
    )
    assert asked["tls"] == TLSConfig(server_root_ca_cert=b"CA", domain="temporal")
    assert isinstance(asked["data_converter"].payload_codec, SealingCodec)


async def test_without_an_address_the_engine_of_serve_is_taken(asked: dict[str, Any], tmp_path: Path) -> None:
    given = settings(tmp_path, temporal_api_key="for a cluster")
    (tmp_path / "temporal.port").write_text("23456\n")
    await connect(given, given.keyring())
    assert (asked["address"], asked["tls"], asked["api_key"]) == ("127.0.0.1:23456", False, None)


async def test_without_any_engine_it_says_what_to_set(tmp_path: Path) -> None:
    given = settings(tmp_path)
    with pytest.raises(RuntimeError, match="BANCHENG_TEMPORAL_ADDRESS"):
        await connect(given, given.keyring())


async def test_an_address_that_is_none_is_an_outage_and_no_fault(tmp_path: Path) -> None:
    given = settings(tmp_path, temporal_address="temporal:port")
    with pytest.raises(RuntimeError, match="BANCHENG_TEMPORAL_ADDRESS"):
        await connect(given, given.keyring())


async def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for wrong in ({"database_url": "mysql://host/name"}, {"policies_dir": tmp_path / "nowhere"}):
        with pytest.raises(BadSettings):
            build_services(settings(tmp_path, **wrong))


def test_a_rehearsal_touches_nothing_of_the_installation(tmp_path: Path) -> None:
    given = settings(
        tmp_path / "real",
        database_url="postgresql://user:secret@db/real",
        temporal_address="temporal.example:7233",
        temporal_namespace="halls",
        webhook_url="https://gateway.example/send",
        secret_key="the key of the installation",
    )
    apart = rehearsal_settings(given, tmp_path / "apart")
    assert apart.database == f"sqlite+aiosqlite:///{tmp_path / 'apart' / 'bancheng.db'}"
    assert (apart.temporal_address, apart.webhook_url) == ("", "")
    assert apart.session_key() != given.session_key()
    assert not (tmp_path / "real").exists()


def test_where_browsers_reach_us_is_handed_down(tmp_path: Path) -> None:
    given = settings(tmp_path, public_url="https://window.example.cn/")
    assert build_services(given).public_url == "https://window.example.cn"


@pytest.mark.parametrize(
    ("given", "halls"),
    [("", set()), ("off", {"off"}), ("guilin, chengzhong", {"guilin", "chengzhong"})],
)
def test_where_citizens_may_file_comes_from_policies_and_setting(
    tmp_path: Path, given: str, halls: set[str]
) -> None:
    services = build_services(settings(tmp_path, online_filing=given))
    assert services.online_filing == halls
    assert services.offers.keys() == services.policies.keys()
