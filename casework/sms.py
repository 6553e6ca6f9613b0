"""Short messages through the HTTP API of a gateway, described by a template.

Placeholders `{phone}`, `{text}` and `{id}` are encoded for where they stand, never pasted.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import httpx

from casework.personal_channels import Message, NotDelivered, told
from rules.delivering import Means

PLACEHOLDER = re.compile(r"\{(phone|text|id)\}")
METHODS = frozenset({"GET", "POST", "PUT"})
LARGEST = 65_536  # characters of an answer that are looked at
_QUOTES = {'"': "&quot;", "'": "&apos;"}
ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "application/json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "application/x-www-form-urlencoded": quote_plus,
    "application/xml": lambda text: escape(text, _QUOTES),
    "text/xml": lambda text: escape(text, _QUOTES),
}
"""Media type of the body → how a value is written inside it."""
JSON = "application/json"


@dataclass(frozen=True, repr=False)
class SmsGateway:
    """How the gateway is asked, and which answer means yes. It has no repr: headers hold its secret.

    `success` is searched in the answer's body; empty: a status of 2xx is enough. Raises ValueError,
    naming what is wrong with the template.
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    success: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"the method is one of {', '.join(sorted(METHODS))}")
        if self.body and self.media_type not in ENCODINGS:
            raise ValueError(f"the header Content-Type names none of {', '.join(sorted(ENCODINGS))}")
        used = set(PLACEHOLDER.findall(self.url + self.body))
        if not {"phone", "text"} <= used:
            raise ValueError("neither address nor body says where {phone} and {text} go")
        if PLACEHOLDER.search(self.url.partition("?")[0]):
            raise ValueError("placeholders of the address stand behind its question mark only")
        if self.body and self.media_type == JSON:
            self._check_json()
        try:
            re.compile(self.success)
        except re.error as error:
            raise ValueError(f"the pattern of success: {error}") from None

    @property
    def media_type(self) -> str:
        """The media type of the body, from its header."""
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                return value.partition(";")[0].strip().lower()
        return ""

    def request(self, values: Mapping[str, str]) -> tuple[str, bytes]:
        """Return address and body with these values in the placeholders."""
        url = _filled(self.url, values, lambda value: quote(value, safe=""))
        if not self.body:
            return url, b""
        return url, _filled(self.body, values, ENCODINGS[self.media_type]).encode()

    def _check_json(self) -> None:
        """A placeholder outside quotes would break the body for some texts, or let them add to it."""
        for sample in ("x", '"\\', "1"):
            _, body = self.request({"phone": sample, "text": sample, "id": sample})
            try:
                json.loads(body)
            except ValueError:
                raise ValueError("the body is no JSON: placeholders stand inside quotes") from None


class SmsChannel:
    """Sends one short message through the gateway."""

    means = Means.SMS

    def __init__(self, gateway: SmsGateway, client: httpx.AsyncClient) -> None:
        self._gateway, self._client = gateway, client

    async def send(self, message: Message) -> None:
        """Ask the gateway, and look at its answer. Raises `NotDelivered`."""
        gateway = self._gateway
        url, body = gateway.request({"phone": message.to, "text": message.subject, "id": message.id})
        secrets = (message.to, *gateway.headers.values())
        headers = {**gateway.headers, "Idempotency-Key": message.id}
        try:
            answer = await self._client.request(gateway.method, url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotDelivered(told(f"{type(error).__name__}: {error}", *secrets)) from None
        if not answer.is_success:
            raise NotDelivered(f"the gateway answered {answer.status_code}")
        if not re.search(gateway.success, answer.text[:LARGEST]):
            raise NotDelivered(told(f"the gateway refused: {answer.text[:LARGEST]}", *secrets))


def _filled(template: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda found: encode(values[found[1]]), template)
