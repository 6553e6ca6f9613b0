"""What an operator decides about signing in; read from the settings once and handed down."""

from dataclasses import dataclass
from datetime import timedelta

from rules.case.vocabulary import Role

CALLBACK = "/sign-in/oidc/callback"  # below the public address; the provider must know it


@dataclass(frozen=True, repr=False)
class Provider:
    """An OpenID Connect provider that vouches for users. It has no repr: logs must not show it."""

    issuer: str
    client_id: str
    client_secret: str
    username_claim: str
    redirect_uri: str
    signing_key: str  # signs what a browser keeps while it is away at the provider


@dataclass(frozen=True)
class SignInRules:
    """How long a session may rest, who needs a second factor, and who else vouches for users."""

    idle: timedelta = timedelta(minutes=60)
    second_factor: frozenset[Role] = frozenset()
    provider: Provider | None = None
