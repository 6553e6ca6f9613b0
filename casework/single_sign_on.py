"""Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce.

The provider says who somebody is; whether they may come in, and as what, the table of users says. The
second factor is then the provider's affair. See docs/how-to/single-sign-on.md.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from casework.access import record
from casework.accounts import SignedIn, let_in
from casework.errors import Unauthenticated
from casework.services import Services
from casework.sign_in_rules import Provider
from casework.texts import is_code

REFUSED, UNAVAILABLE = "single-sign-on-refused", "single-sign-on-unavailable"
WITHIN = timedelta(minutes=10)  # how long somebody may take at the provider
LEEWAY = 60  # seconds that its clock may be off
PATIENCE = 10  # seconds
# Signatures of the provider's own key only; with a shared secret, or none, anybody could sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
ENDPOINTS = {"authorization_endpoint", "token_endpoint", "jwks_uri"}
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, repr=False)
class Away:
    """What the browser keeps while it is at the provider; `to` is where it goes afterwards."""

    state: str
    nonce: str
    verifier: str
    to: str
    until: float


async def begin(services: Services, provider: Provider, to: str) -> tuple[str, str]:
    """Return the provider's address to go to, and what the browser has to bring back (signed).

    Raises `Unauthenticated` while the provider cannot be reached.
    """
    now = await services.wall.now()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    away = Away(state, nonce, verifier, to, (now + WITHIN).timestamp())
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        known = await _discovered(client, provider)
    question = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid profile",
        "state": away.state,
        "nonce": away.nonce,
        "code_challenge": create_s256_code_challenge(away.verifier),
        "code_challenge_method": "S256",
    }
    address = add_params_to_uri(known["authorization_endpoint"], list(question.items()))
    return address, _signed(provider, away)


async def finish(
    services: Services,
    provider: Provider,
    brought: str,
    answer: Mapping[str, str],
    address: str | None,
    *,
    instead_of: str | None = None,
) -> tuple[SignedIn, str]:
    """Return a session and where to go on, for whom the provider's answer vouches for.

    Whatever does not hold raises `Unauthenticated` and is on the access log.
    """
    username = None
    try:
        away = _opened(provider, brought, await services.wall.now())
        username = await _vouched_for(services, provider, away, answer)
        return await let_in(services, username, address, instead_of=instead_of), away.to
    except Unauthenticated as refusal:
        reason = str(refusal)
        await record(services, action="sign_in_refused", username=username, reason=reason, address=address)
        raise


async def _vouched_for(services: Services, provider: Provider, away: Away, answer: Mapping[str, str]) -> str:
    """Return the username that the provider vouches for."""
    if not hmac.compare_digest(answer.get("state", "").encode(), away.state.encode()):
        raise Unauthenticated(REFUSED)
    # RFC 9207: an answer that another provider sent is not taken to this one.
    if answer.get("iss", provider.issuer) != provider.issuer or "code" not in answer:
        raise Unauthenticated(REFUSED)
    try:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            known = await _discovered(client, provider)
            token = await _redeemed(client, provider, away, known["token_endpoint"], answer["code"])
            keys = (await client.get(known["jwks_uri"])).raise_for_status().json()
        claims = _claims(provider, away, token, keys, await services.wall.now())
    except httpx.RequestError as error:
        raise Unauthenticated(UNAVAILABLE) from error
    except (httpx.HTTPStatusError, JoseError, ValueError, KeyError, TypeError) as error:
        raise Unauthenticated(REFUSED) from error
    username = claims.get(provider.username_claim)
    if not (isinstance(username, str) and is_code(username)):
        raise Unauthenticated(REFUSED)
    return username


def _claims(
    provider: Provider, away: Away, token: Mapping[str, Any], keys: Any, now: datetime
) -> Mapping[str, Any]:
    """Return what the id token says, once everything about it holds (OpenID Connect Core, 3.1.3.7)."""
    read = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS)
    claims = CodeIDToken(
        read.claims,
        read.header,
        options={
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "exp": {"essential": True},
        },
        params={
            "nonce": away.nonce,
            "client_id": provider.client_id,
            "access_token": token.get("access_token"),
        },
    )
    claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    return dict(claims)


async def _redeemed(
    client: httpx.AsyncClient, provider: Provider, away: Away, endpoint: str, code: str
) -> Mapping[str, Any]:
    """Return the provider's tokens for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": away.verifier,
    }
    # RFC 6749, 2.3.1: encoded before they are joined.
    known = httpx.BasicAuth(quote_plus(provider.client_id), quote_plus(provider.client_secret))
    answer = await client.post(endpoint, data=form, auth=known)
    tokens: dict[str, Any] = answer.raise_for_status().json()
    return tokens


async def _discovered(client: httpx.AsyncClient, provider: Provider) -> Mapping[str, Any]:
    """Return what the provider says of itself; it must be the one that the settings name."""
    address = provider.issuer.rstrip("/") + DISCOVERY
    try:
        known = (await client.get(address)).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unauthenticated(UNAVAILABLE) from error
    if not isinstance(known, dict) or known.get("issuer") != provider.issuer or not known.keys() >= ENDPOINTS:
        raise Unauthenticated(REFUSED)
    return known


def _signed(provider: Provider, away: Away) -> str:
    content = base64.urlsafe_b64encode(json.dumps(asdict(away)).encode()).decode()
    return f"{content}.{_signature(provider, content)}"


def _opened(provider: Provider, brought: str, now: datetime) -> Away:
    content, _, signature = brought.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(provider, content).encode()):
        raise Unauthenticated(REFUSED)
    try:
        away = Away(**json.loads(base64.urlsafe_b64decode(content)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Unauthenticated(REFUSED) from error
    if now.timestamp() > away.until:
        raise Unauthenticated(REFUSED)
    return away


def _signature(provider: Provider, content: str) -> str:
    key = provider.signing_key.encode()
    return hmac.digest(key, b"single sign-on\0" + content.encode(), hashlib.sha256).hex()
