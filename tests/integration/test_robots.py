"""Robots of group chats against a real receiver: what goes out, what fails."""

import asyncio
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from casework.personal_channels import NotDelivered
from casework.robots import RobotChannel
from rules.delivering import Means
from tests.support.processes import free_port
from tests.support.receivers import (
    Receiver,
    http_receiver,
    message,
)

UUID = "693a91f6-7ac0-4bc4-97a0-0ec251fa5aaa"
TOKEN = "0123456789abcdef" * 4
ROBOTS = {
    "wecom": (UUID, f"/cgi-bin/webhook/send?key={UUID}", {"msgtype": "text", "text": {"content": "甲\n乙"}}),
    "dingtalk": (
        TOKEN,
        f"/robot/send?access_token={TOKEN}",
        {
            "msgtype": "text",
            "at": {"atMobiles": [], "isAtAll": False},
            "text": {"content": "甲\n乙"},
        },
    ),
    "feishu": (
        UUID,
        f"/open-apis/bot/v2/hook/{UUID}/",
        {"msg_type": "text", "content": {"text": "甲\n乙"}},
    ),
}


@pytest.mark.parametrize("means", ROBOTS)
async def test_a_robot_gets_what_its_service_documents(receiver: Receiver, means: str) -> None:
    key, path, payload = ROBOTS[means]
    receiver.body = b'{"code":0}' if means == "feishu" else b'{"errcode":0,"errmsg":"ok"}'
    await RobotChannel(Means(means), receiver.url).send(message(key, "甲", "乙"))
    [asked] = receiver.asked
    assert (asked.method, asked.path) == ("POST", path)
    assert json.loads(asked.body) == payload


async def test_a_robot_of_dingtalk_with_a_secret_is_asked_with_a_signature(receiver: Receiver) -> None:
    secret = f"SEC{TOKEN}"
    await RobotChannel(Means.DINGTALK, receiver.url).send(message(f"{secret}@{TOKEN}"))
    asked = parse_qs(urlsplit(receiver.asked[0].path).query)
    assert asked["access_token"] == [TOKEN]
    assert asked["sign"] and asked["timestamp"]
    assert secret not in receiver.asked[0].path


@pytest.mark.parametrize("means", ROBOTS)
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b'{"errcode":310000,"errmsg":"keywords not in content"}'),
        (200, b'{"code":9499,"msg":"Bad Request"}'),
        (200, b"<html>a proxy says hello</html>"),
        (500, b""),
        (302, b'{"errcode":0}'),
    ],
)
async def test_what_a_service_refuses_does_not_stand_as_sent(
    receiver: Receiver, means: str, status: int, answer: bytes
) -> None:
    """They refuse with 200 and a code; apprise by itself takes that for a yes at two of them."""
    receiver.status, receiver.body = status, answer
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    with pytest.raises(NotDelivered, match="the service"):
        await RobotChannel(Means(means), receiver.url).send(message(ROBOTS[means][0]))
    assert len(receiver.asked) == 1


async def test_robots_at_once_hear_their_own_answers(receiver: Receiver) -> None:
    with http_receiver() as refusing:
        refusing.body, receiver.delay = b'{"errcode":93000,"errmsg":"invalid"}', 0.2
        good, bad = RobotChannel(Means.WECOM, receiver.url), RobotChannel(Means.DINGTALK, refusing.url)
        outcomes = await asyncio.gather(
            *(each.send(message(to)) for each, to in ((good, UUID), (bad, TOKEN), (good, UUID))),
            return_exceptions=True,
        )
    assert [isinstance(outcome, NotDelivered) for outcome in outcomes] == [False, True, False]


async def test_a_robot_that_cannot_be_reached_is_a_failure() -> None:
    with pytest.raises(NotDelivered, match="reached"):
        await RobotChannel(Means.WECOM, f"http://127.0.0.1:{free_port()}").send(message(UUID))


async def test_more_than_a_robot_takes_is_counted_instead(receiver: Receiver) -> None:
    await RobotChannel(Means.WECOM, receiver.url).send(message(UUID, *["已超过办结时限" * 20] * 9))
    text = json.loads(receiver.asked[0].body)["text"]["content"]
    assert len(text.encode()) <= 2048
    assert re.search(r"还有 \d 条，请登录查看$", text)
