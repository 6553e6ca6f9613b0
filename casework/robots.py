"""Robots of group chats: WeCom, DingTalk and Feishu, through apprise."""

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import requests
from apprise import NotifyType
from apprise.exception import AppriseException
from apprise.plugins import dingtalk, feishu, wecombot

from casework.personal_channels import Message, NotDelivered, told
from rules.delivering import Means

CODES = ("errcode", "code")
"""Where an answer says whether it was taken: WeCom and DingTalk, Feishu; 0 is yes."""


class _Heard(threading.local):
    """The answer to the last post of this thread."""

    answer: requests.Response | None = None


class _Listening(ModuleType):
    """The library `requests` as a plugin of apprise sees it, with an ear at each answer.

    All three services refuse with HTTP 200 and a code in the body (no such robot, a keyword that is
    missing, too many messages), and the plugins of two look at the status alone: what was refused
    would stand as sent in our record.
    """

    def __init__(self) -> None:
        super().__init__("requests")
        self.heard = _Heard()

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def post(self, url: str, **options: Any) -> requests.Response:
        """Post, and remember the answer for this thread."""
        # A redirect would take key and text to a host that nobody chose.
        options["allow_redirects"] = False
        self.heard.answer = requests.post(url, **options)
        return self.heard.answer


_REQUESTS = _Listening()
for _module in (wecombot, dingtalk, feishu):
    setattr(_module, "requests", _REQUESTS)  # noqa: B010 - it has no such name for a type checker
# Its debugging lines show keys and texts.
logging.getLogger("apprise").setLevel(logging.ERROR)

PLUGINS: Mapping[Means, type[Any]] = {
    Means.WECOM: wecombot.NotifyWeComBot,
    Means.DINGTALK: dingtalk.NotifyDingTalk,
    Means.FEISHU: feishu.NotifyFeishu,
}


class RobotChannel:
    """Posts to the robot whose key a user gave. These services take no idempotency key.

    `at` stands in for the service's own host: for tests.
    """

    def __init__(self, means: Means, at: str | None = None) -> None:
        self.means = means
        plugin = PLUGINS[means]
        if at is not None:
            path = plugin.notify_url.partition("//")[2].partition("/")[2]
            plugin = type(plugin.__name__, (plugin,), {"notify_url": f"{at}/{path}"})
        self._plugin = plugin

    async def send(self, message: Message) -> None:
        """Post the lines as one text. Raises `NotDelivered`."""
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> None:
        secret, _, key = message.to.rpartition("@")
        _REQUESTS.heard.answer = None
        try:
            robot = self._plugin(**self._of(key, secret))
            body = _fitting(message.lines, self._plugin.body_maxlen)
            taken = robot.notify(body=body, title="", notify_type=NotifyType.INFO)
        except (AppriseException, TypeError) as error:
            raise NotDelivered(told(f"{type(error).__name__}: {error}", key, secret)) from None
        answer = _REQUESTS.heard.answer
        if answer is None:
            raise NotDelivered("the service could not be reached")
        if not answer.ok:
            raise NotDelivered(f"the service answered {answer.status_code}")
        if not taken or not _was_taken(answer):
            raise NotDelivered(told(f"the service refused: {answer.text}", key, secret))

    def _of(self, key: str, secret: str) -> dict[str, str]:
        if self.means is Means.WECOM:
            return {"key": key}
        return {"token": key, "secret": secret} if secret else {"token": key}


def _fitting(lines: tuple[str, ...], most: int) -> str:
    """Return the lines as one text of at most so many bytes; what does not fit is counted."""
    text = "\n".join(lines)
    kept = len(lines)
    while len(text.encode()) > most and kept:
        kept -= 1
        text = "\n".join((*lines[:kept], f"……还有 {len(lines) - kept} 条，请登录查看"))
    return text


def _was_taken(answer: requests.Response) -> bool:
    """Whether the body says so. One that says nothing is taken for a no: all three always say."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return False
    codes = [body[name] for name in CODES if name in body] if isinstance(body, dict) else []
    return bool(codes) and all(code == 0 for code in codes)
