"""The settings: environment `BANCHENG_…`, a `.env` file, or files of secrets. Read by entry points only.

Source: contract.md, Settings. Secrets that nobody gave are made once and kept in DATA_DIR.
"""

import ipaddress
import os
import secrets
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from casework.evidence import Evidence
from casework.sign_in_rules import CALLBACK, Provider, SignInRules
from channel_settings import ChannelSettings, Folder
from engine_settings import EngineSettings
from kept_secrets import kept_secret
from models.crypto import Keyring, generate_key
from models.signing import PublicKeys, SigningKey, generate_signing_key
from rules.case.vocabulary import Role

if TYPE_CHECKING:
    from casework.watch import Networks

SHORTEST_SECRET = 16  # characters; a shorter SECRET_KEY can be guessed
SECRETS = "/run/secrets"  # where containers find theirs; systemd names another folder


class Settings(ChannelSettings, EngineSettings):
    """What an operator may set; every name has a default that `make run` works with.

    Raises pydantic's ValidationError, which names the faulty setting and never shows its value.
    """

    model_config = SettingsConfigDict(
        env_prefix="BANCHENG_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,  # compose files write unset variables as empty ones
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Folder = Path("data")
    database_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    secret_key: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    payload_keys: SecretStr | None = None
    signing_key: SecretStr | None = None
    trusted_keys: str = ""
    demo_password: SecretStr | None = None
    policies_dir: Folder | None = None
    online_filing: str = ""
    session_idle_minutes: int = Field(default=60, ge=5, le=720)
    second_factor_roles: str = ""
    public_url: str = ""
    metrics_from: str = "127.0.0.0/8,::1/128"
    metrics_address: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_username_claim: str = "preferred_username"
    trusted_proxies: str = "127.0.0.1,::1"
    temporal_ui_origin: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read a setting that is nowhere else from a file of its name, `bancheng_secret_key` say."""
        sources = (init_settings, env_settings, dotenv_settings)
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", SECRETS))
        return (*sources, SecretsSettingsSource(settings_cls, folder)) if folder.is_dir() else sources

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, text: str) -> str:
        """Names would be looked up by whoever answers for them, and `*` would let anybody forge."""
        for each in _split(text):
            ipaddress.ip_network(each)
        return text

    @field_validator("metrics_address")
    @classmethod
    def _address_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if address and not (port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("an address and a port are needed, as 0.0.0.0:9464")
        if address:
            ipaddress.ip_address(host.strip("[]"))
        return address

    @field_validator("payload_keys")
    @classmethod
    def _readable(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            Keyring.parse(keys.get_secret_value())
        return keys

    @field_validator("signing_key")
    @classmethod
    def _signs(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            SigningKey.parse(key.get_secret_value())
        return key

    @field_validator("trusted_keys")
    @classmethod
    def _verify(cls, keys: str) -> str:
        PublicKeys.parse(keys)
        return keys

    @field_validator("metrics_from")
    @classmethod
    def _networks(cls, text: str) -> str:
        for network in _split(text):
            ip_network(network)
        return text

    @field_validator("second_factor_roles")
    @classmethod
    def _roles(cls, text: str) -> str:
        if unknown := _split(text) - {str(role) for role in Role}:
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        return text

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _reachable_safely(cls, url: str) -> str:
        """Passwords and tokens go there: without TLS only on this machine."""
        asked = urlsplit(url)
        local = asked.scheme == "http" and asked.hostname in ("127.0.0.1", "::1", "localhost")
        if url and not (asked.hostname and (asked.scheme == "https" or local)):
            raise ValueError("an https:// address is needed (http:// on this machine alone)")
        return url

    @field_validator("temporal_ui_origin")
    @classmethod
    def _origin(cls, url: str) -> str:
        """As browsers send it, so that it can be compared as it is."""
        cls._reachable_safely(url)
        asked = urlsplit(url)
        if url and url != f"{asked.scheme}://{asked.netloc}".lower():
            raise ValueError("an origin is needed: https://host or https://host:port, nothing behind it")
        return url

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret and self.public_url):
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL")
        return self

    @property
    def database(self) -> str:
        """URL of the database: the one given, else a SQLite file in DATA_DIR."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'bancheng.db'}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach HOST (demonstration data and rehearsals need it)."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def proxies(self) -> list[str]:
        """Return the proxies whose word on a client's address is taken: addresses and networks."""
        return sorted(_split(self.trusted_proxies))

    def operators(self) -> "Networks":
        """Return the networks of METRICS_FROM."""
        return tuple(map(ip_network, sorted(_split(self.metrics_from))))

    def metrics_port(self) -> tuple[str, int] | None:
        """Return host and port of METRICS_ADDRESS, None where there is none."""
        host, _, port = self.metrics_address.rpartition(":")
        return (host.strip("[]"), int(port)) if port else None

    def session_key(self) -> str:
        """Return SECRET_KEY: the one given, else the one kept in DATA_DIR."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return kept_secret(self.data_dir / "secret_key", secrets.token_urlsafe)

    def webhook_key(self) -> str:
        """Return WEBHOOK_SECRET: the one given, else the one kept in DATA_DIR."""
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value()
        return kept_secret(self.data_dir / "webhook_secret", secrets.token_urlsafe)

    def sign_in_rules(self) -> SignInRules:
        """Return what was set about signing in."""
        return SignInRules(
            idle=timedelta(minutes=self.session_idle_minutes),
            second_factor=frozenset(map(Role, _split(self.second_factor_roles))),
            provider=self._provider() if self.oidc_issuer else None,
        )

    def _provider(self) -> Provider:
        assert self.oidc_client_secret is not None
        return Provider(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value(),
            username_claim=self.oidc_username_claim,
            redirect_uri=self.public_url.rstrip("/") + CALLBACK,
            signing_key=self.session_key(),
        )

    def keyring(self) -> Keyring:
        """Return PAYLOAD_KEYS: those given, else the one kept in DATA_DIR.

        Raises ValueError where the kept file is not readable as keys.
        """
        if self.payload_keys is not None:
            return Keyring.parse(self.payload_keys.get_secret_value())
        return Keyring.parse(kept_secret(self.data_dir / "payload_keys", generate_key))

    @property
    def keys_file(self) -> Path | None:
        """Where the generated payload keys are kept, None where PAYLOAD_KEYS gives them."""
        return None if self.payload_keys is not None else self.data_dir / "payload_keys"

    def evidence(self) -> Evidence:
        """Return what evidence needs: SIGNING_KEY (given, or kept in DATA_DIR), known keys, folders.

        Raises ValueError where the kept file is not readable as a key.
        """
        if self.signing_key is not None:
            key = self.signing_key.get_secret_value()
        else:
            key = kept_secret(self.data_dir / "signing_key", generate_signing_key)
        signer = SigningKey.parse(key)
        return Evidence(
            signer=signer,
            keys=PublicKeys.parse(self.trusted_keys) | signer.public,
            heads=self.data_dir / "heads",
            histories=self.data_dir / "histories",
        )

    def secrets(self) -> dict[str, str]:
        """Return what a backup does not hold and a restore needs, by the settings' names.

        Raises ValueError, OSError where a kept file is not readable.
        """
        self.evidence()  # makes the signing key where there is none
        kept = self.data_dir / "signing_key"
        signing = self.signing_key.get_secret_value() if self.signing_key else kept.read_text("utf-8").strip()
        found = {
            "PAYLOAD_KEYS": self.keyring().written(),
            "SIGNING_KEY": signing,
            "SECRET_KEY": self.session_key(),
            "WEBHOOK_SECRET": self._webhook_key_if_any(),
            "TRUSTED_KEYS": self.trusted_keys,
        }
        return {name: value for name, value in found.items() if value}

    def _webhook_key_if_any(self) -> str:
        """Return WEBHOOK_SECRET; none is made for a webhook that never signed anything."""
        there = self.webhook_secret is not None or (self.data_dir / "webhook_secret").exists()
        return self.webhook_key() if there else ""


def _split(roles: str) -> set[str]:
    return {role.strip() for role in roles.split(",") if role.strip()}
