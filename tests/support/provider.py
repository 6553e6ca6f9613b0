"""A small OpenID Connect provider of authlib's server side, as a process of its own.

It asks for a name and no password. A `fault` in its form makes it sign an id token that no client may
take: with another nonce, issuer or audience, expired, under a key that it does not publish, or under
the client's secret.

    python -m tests.support.provider PORT REDIRECT_URI
"""

import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Payload, OAuth2Request, grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.models import AuthorizationCodeMixin
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "bancheng", "a-secret-of-the-client"
KEY, STRANGE_KEY = (RSAKey.generate_key(2048, {"kid": "signing", "use": "sig"}) for _ in range(2))
ISSUER, REDIRECT = "", ""
CODES: dict[str, "Code"] = {}


class Client(ClientMixin):
    """The one client there is."""

    client_id = CLIENT

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return REDIRECT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == REDIRECT

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code that was given out."""

    code: str
    user: str
    fault: str
    data: dict[str, str]
    at: int = field(default_factory=lambda: int(time.time()))

    @property
    def code_challenge(self) -> str | None:
        return self.data.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.data.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.data.get("redirect_uri")

    def get_scope(self) -> str | None:
        return self.data.get("scope")

    def get_nonce(self) -> str | None:
        return "another" if self.fault == "nonce" else self.data.get("nonce")

    def get_auth_time(self) -> int:
        return self.at


class CodeGrant(grants.AuthorizationCodeGrant):
    """Codes in memory, each good once."""

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        CODES[code] = Code(code, request.user, data.get("fault", ""), data)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del CODES[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.user


class IdTokens(OpenIDCode):
    """Id tokens, good ones and faulty ones."""

    fault = ""

    def encode_id_token(self, token: Any, request: Any) -> Any:
        self.fault = request.authorization_code.fault
        return super().encode_id_token(token, request)

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        keys = {"key": STRANGE_KEY, "secret": OctKey.import_key(SECRET)}
        return keys.get(self.fault, KEY)

    def get_client_algorithm(self, client: Client) -> str:
        return "HS256" if self.fault == "secret" else "RS256"

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": self.get_client_algorithm(client), "kid": "signing"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        issuer = "https://another.example" if self.fault == "issuer" else ISSUER
        audience = "another client" if self.fault == "audience" else CLIENT
        return {"iss": issuer, "aud": [audience], "exp": now - 300 if self.fault == "expired" else now + 300}

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        return UserInfo(sub=f"id-of-{user}", preferred_username=user)


class _Payload(OAuth2Payload):
    def __init__(self, data: dict[str, str]) -> None:
        self._data = data

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._data.items()})


class _Request(OAuth2Request):
    def __init__(self, request: Request, form: dict[str, str]) -> None:
        super().__init__(request.method, str(request.url), headers=request.headers)
        self.payload = _Payload({**request.query_params, **form})
        self._form = form

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Server(AuthorizationServer):
    """Authlib's server, at home in Starlette."""

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT else None

    def save_token(self, token: Any, request: Any) -> None:
        """Nothing asks for access tokens."""

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        made = JSONResponse(body, status) if isinstance(body, dict) else Response(body, status)
        made.headers.update(dict(headers))
        return made

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


SERVER = Server(scopes_supported=["openid", "profile"])
SERVER.register_token_generator("default", BearerTokenGenerator(lambda **_: os.urandom(24).hex()))
SERVER.register_grant(CodeGrant, [CodeChallenge(required=True), IdTokens(require_nonce=True)])


async def discovery(request: Request) -> Response:
    """What the provider says of itself."""
    return JSONResponse(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
    )


async def keys(request: Request) -> Response:
    """The public keys."""
    return JSONResponse({"keys": [KEY.as_dict(private=False)]})


async def authorize(request: Request) -> Response:
    """Ask who is there, and send the browser back with a code."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    asked = _Request(request, form)
    grant = SERVER.get_consent_grant(asked, form.get("user"))
    if request.method == "GET":
        return HTMLResponse(
            '<!doctype html><html lang="en"><title>Provider</title><form method="post">'
            '<label>Who is there? <input name="user"></label><button>Go on</button></form></html>'
        )
    response: Response = SERVER.create_authorization_response(asked, grant_user=form["user"], grant=grant)
    return response


async def token(request: Request) -> Response:
    """A token for a code."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    response: Response = SERVER.create_token_response(_Request(request, form))
    return response


APP = Starlette(
    routes=[
        Route("/.well-known/openid-configuration", discovery),
        Route("/keys", keys),
        Route("/authorize", authorize, methods=["GET", "POST"]),
        Route("/token", token, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # it serves this machine only
    ISSUER, REDIRECT = f"http://127.0.0.1:{sys.argv[1]}", sys.argv[2]
    uvicorn.run(APP, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
