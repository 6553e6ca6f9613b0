"""The settings of the cluster: where it is, and how to talk TLS to it."""

from typing import TYPE_CHECKING, Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings

from channel_settings import Folder

if TYPE_CHECKING:
    from temporalio.service import TLSConfig


class EngineSettings(BaseSettings):
    """What an operator may set of the cluster; without an address the engine that comes along is used."""

    temporal_address: str = ""
    temporal_namespace: str = "default"
    temporal_tls_server_root_ca: Folder | None = None
    temporal_tls_client_cert: Folder | None = None
    temporal_tls_client_key: Folder | None = None
    temporal_tls_domain: str | None = None
    temporal_api_key: SecretStr | None = None

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.temporal_tls_client_cert is None) != (self.temporal_tls_client_key is None):
            raise ValueError("TEMPORAL_TLS_CLIENT_CERT and TEMPORAL_TLS_CLIENT_KEY go together")
        return self

    def temporal_tls(self) -> "TLSConfig | bool":
        """Return how to talk TLS to TEMPORAL_ADDRESS; an API key alone means TLS, nothing none.

        Raises OSError where a certificate can't be read.
        """
        from temporalio.service import TLSConfig  # heavy, and most commands need no engine

        ca, cert = self.temporal_tls_server_root_ca, self.temporal_tls_client_cert
        if not (ca or cert or self.temporal_tls_domain):
            return self.temporal_api_key is not None
        key = self.temporal_tls_client_key
        return TLSConfig(
            server_root_ca_cert=ca.read_bytes() if ca else None,
            client_cert=cert.read_bytes() if cert else None,
            client_private_key=key.read_bytes() if key else None,
            domain=self.temporal_tls_domain,
        )
