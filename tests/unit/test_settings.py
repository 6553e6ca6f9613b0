"""Settings: contract.md's names and defaults; secrets that nobody gave are made once and kept."""

import base64
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from casework.key_files import NAMES
from kept_secrets import kept_secret
from models.crypto import UnsealError, generate_key
from rules.case.vocabulary import Role
from settings import Settings


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Run each test in an empty folder, without settings of this machine."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("BANCHENG_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.data_dir == tmp_path / "data"
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/data/bancheng.db"
    assert (settings.temporal_address, settings.temporal_namespace) == ("", "default")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.secret_key is settings.payload_keys is settings.demo_password is None
    assert settings.policies_dir is None
    assert settings.temporal_tls() is False


def test_reading_the_settings_makes_no_file(tmp_path: Path) -> None:
    Settings()
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANCHENG_DATABASE_URL", "postgresql+psycopg://u:secret@db/bancheng")
    monkeypatch.setenv("BANCHENG_PORT", "8080")
    monkeypatch.setenv("BANCHENG_POLICIES_DIR", "mine")
    settings = Settings()
    assert settings.database == "postgresql+psycopg://u:secret@db/bancheng"
    assert settings.port == 8080
    assert settings.policies_dir == Path("mine").absolute()


def test_a_dotenv_file_is_read_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BANCHENG_PORT=8001\nBANCHENG_HOST=::1\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("BANCHENG_PORT", "8002")
    settings = Settings()
    assert (settings.host, settings.port) == ("::1", 8002)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "PORT", "DATABASE_URL", "TEMPORAL_TLS_CLIENT_CERT"):
        monkeypatch.setenv(f"BANCHENG_{name}", "")
    assert Settings() == Settings(port=8000)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("PORT", "eighty", "port"),
        ("PORT", "65536", "port"),
        ("SECRET_KEY", "tooshort", "secret_key"),
        ("PAYLOAD_KEYS", "k1:c2hvcnQtc2VjcmV0", "payload_keys"),
        ("TEMPORAL_TLS_CLIENT_CERT", "cert-of-mine.pem", "TEMPORAL_TLS_CLIENT_KEY"),
    ],
)
def test_a_faulty_setting_is_named_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str
) -> None:
    monkeypatch.setenv(f"BANCHENG_{name}", value)
    with pytest.raises(ValidationError, match=field) as refused:
        Settings()
    assert value not in str(refused.value)


def test_settings_print_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = generate_key()
    monkeypatch.setenv("BANCHENG_DATABASE_URL", "postgresql://u:hunter2hunter2@db/x")
    monkeypatch.setenv("BANCHENG_SECRET_KEY", "hunter2hunter2hunter2")
    monkeypatch.setenv("BANCHENG_PAYLOAD_KEYS", keys)
    monkeypatch.setenv("BANCHENG_DEMO_PASSWORD", "hunter2hunter2")
    printed = repr(Settings())
    assert "hunter2" not in printed
    assert keys.partition(":")[2] not in printed


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("hall.example.cn", False),
    ],
)
def test_a_loopback_host_is_known(host: str, local: bool) -> None:
    assert Settings(host=host).is_local is local


def test_given_secrets_go_before_kept_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = generate_key("given")
    monkeypatch.setenv("BANCHENG_SECRET_KEY", "s" * 32)
    monkeypatch.setenv("BANCHENG_PAYLOAD_KEYS", given)
    assert Settings().session_key() == "s" * 32
    assert Settings().keyring().key_ids == ("given",)
    assert not (tmp_path / "data").exists()


def test_generated_secrets_survive_a_restart(tmp_path: Path) -> None:
    token = Settings().keyring().seal_text("张三", "name")
    assert Settings().keyring().open_text(token, "name") == "张三"
    assert Settings().session_key() == Settings().session_key()
    assert len(base64.urlsafe_b64decode(Settings().session_key() + "=")) == 32


def test_generated_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings()
    settings.keyring()
    settings.session_key()
    settings.evidence()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.data_dir.iterdir()}
    assert modes == {
        "payload_keys": 0o600,
        "secret_key": 0o600,
        "signing_key": 0o600,
    }  # and no draft is left over
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700


def test_what_a_restore_needs_has_the_webhooks_secret_where_one_was_made(tmp_path: Path) -> None:
    """Receivers check signatures with it; where nothing was ever signed there is none to take along."""
    names = {"PAYLOAD_KEYS", "SIGNING_KEY", "SECRET_KEY"}
    assert set(Settings().secrets()) == names
    assert not (Settings().data_dir / "webhook_secret").exists()
    made = Settings().webhook_key()
    assert Settings().secrets()["WEBHOOK_SECRET"] == made
    given = Settings(data_dir=tmp_path / "other", webhook_secret=SecretStr("a given secret of ours"))
    assert given.secrets()["WEBHOOK_SECRET"] == "a given secret of ours"
    assert set(given.secrets()) <= set(NAMES)


def test_each_installation_has_its_own_secrets(tmp_path: Path) -> None:
    one, other = Settings(data_dir=tmp_path / "one"), Settings(data_dir=tmp_path / "other")
    assert one.session_key() != other.session_key()
    with pytest.raises(UnsealError):
        other.keyring().open(one.keyring().seal(b"x", "p"), "p")


def _start(folder: Path) -> str:
    """What a process does that starts: it makes its own draft of the secret, and keeps one."""
    return kept_secret(folder / "secret_key", generate_key)


def test_processes_that_start_at_once_end_with_the_same_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        for attempt in range(20):
            folder = tmp_path / str(attempt)
            assert len(set(pool.map(_start, [folder] * 4))) == 1
            assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_the_loser_of_a_race_takes_the_secret_of_the_winner(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"

    def slower() -> str:
        kept_secret(path, lambda: "the winner's")
        return "the loser's"

    assert kept_secret(path, slower) == "the winner's"


def test_an_emptied_secret_is_refused_and_not_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "payload_keys"
    path.touch()
    with pytest.raises(ValueError, match=re.escape(str(path))):
        kept_secret(path, generate_key)
    assert path.read_bytes() == b""


def test_tls_files_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("server_root_ca", "client_cert", "client_key"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        monkeypatch.setenv(f"BANCHENG_TEMPORAL_TLS_{name.upper()}", name)
    monkeypatch.setenv("BANCHENG_TEMPORAL_TLS_DOMAIN", "temporal.example.cn")
    tls = Settings().temporal_tls()
    assert not isinstance(tls, bool)
    assert (tls.server_root_ca_cert, tls.client_cert) == (b"server_root_ca", b"client_cert")
    assert (tls.client_private_key, tls.domain) == (b"client_key", "temporal.example.cn")


def test_an_api_key_alone_means_tls() -> None:
    assert Settings(temporal_api_key="key").temporal_tls() is True


OIDC = {
    "oidc_issuer": "https://id.example.cn/realms/hall",
    "oidc_client_id": "bancheng",
    "oidc_client_secret": "hunter2hunter2",
    "public_url": "https://window.example.cn/",
}


def test_nothing_set_about_signing_in_asks_for_nothing_more() -> None:
    rules = Settings().sign_in_rules()
    assert rules.idle == timedelta(minutes=60)
    assert rules.second_factor == frozenset() and rules.provider is None


def test_what_is_set_about_signing_in_is_handed_down() -> None:
    settings = Settings(session_idle_minutes=15, second_factor_roles="auditor, admin", **OIDC)
    rules = settings.sign_in_rules()
    assert rules.idle == timedelta(minutes=15)
    assert rules.second_factor == {Role.AUDITOR, Role.ADMIN}
    assert rules.provider is not None
    assert rules.provider.redirect_uri == "https://window.example.cn/sign-in/oidc/callback"
    assert rules.provider.signing_key == settings.session_key()
    assert "hunter2" not in repr(rules) + repr(settings)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"second_factor_roles": "auditor,boss"}, "second_factor_roles"),
        ({"session_idle_minutes": 1}, "session_idle_minutes"),
        ({"oidc_issuer": "http://id.example.cn"}, "oidc_issuer"),
        ({"oidc_issuer": "id.example.cn"}, "oidc_issuer"),
        ({"public_url": "http://window.example.cn"}, "public_url"),
        ({"public_url": ""}, "PUBLIC_URL"),
        ({"oidc_client_secret": None}, "OIDC_CLIENT_SECRET"),
    ],
)
def test_a_faulty_setting_of_signing_in_is_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings(**OIDC | changed)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_this_machine_needs_no_tls(url: str) -> None:
    assert Settings(**OIDC | {"public_url": url, "oidc_issuer": url}).sign_in_rules().provider


def secret(folder: Path, name: str, text: str) -> Path:
    """A file as containers and systemd hand secrets over."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_secret_may_lie_in_a_file_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, keys = tmp_path / "secrets", generate_key()
    secret(folder, "bancheng_payload_keys", keys + "\n")
    secret(folder, "bancheng_secret_key", "from-a-file-of-secrets")
    secret(folder, "secret_key", "of-somebody-else-altogether")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    settings = Settings()
    assert settings.payload_keys is not None and settings.payload_keys.get_secret_value() == keys
    assert settings.session_key() == "from-a-file-of-secrets"
    monkeypatch.setenv("BANCHENG_SECRET_KEY", "from-the-environment")
    assert Settings().session_key() == "from-the-environment"
    assert not (tmp_path / "data").exists()


def test_a_faulty_secret_in_a_file_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret(tmp_path / "secrets", "bancheng_payload_keys", "k1:hunter2hunter2")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "secrets"))
    with pytest.raises(ValidationError, match="payload_keys") as refused:
        Settings()
    assert "hunter2" not in str(refused.value)


def test_a_folder_of_secrets_that_is_not_there_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "nowhere"))
    assert Settings().secret_key is None
    assert not recwarn.list


def test_only_this_machines_proxies_are_believed_by_default() -> None:
    assert Settings().proxies() == ["127.0.0.1", "::1"]
    assert Settings(trusted_proxies="10.0.0.2, 10.1.0.0/24").proxies() == ["10.0.0.2", "10.1.0.0/24"]


@pytest.mark.parametrize("wrong", ["*", "proxy", "10.0.0.5/8", "10.0.0.1:80", "10.0.0.1 10.0.0.2"])
def test_a_proxy_is_an_address_or_a_network(wrong: str) -> None:
    """A name is whatever a name server says; a star lets every client claim an address."""
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(trusted_proxies=wrong)


@pytest.mark.parametrize(
    "wrong", ["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":9"]
)
def test_a_worker_answers_at_an_address_and_a_port(wrong: str) -> None:
    for right in ("", "127.0.0.1:9464", "[::1]:9464"):
        assert Settings(metrics_address=right).metrics_address == right
    with pytest.raises(ValidationError, match="metrics_address"):
        Settings(metrics_address=wrong)
