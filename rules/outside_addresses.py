"""Where somebody is reached outside: reading what a user typed, and showing it masked.

Users give an address or the key of a robot, never a host: where messages are posted to is for the
services themselves (WeCom, DingTalk, Feishu) or for the operator to say.
"""

import re
from collections.abc import Mapping

from rules.delivering import Means

LONGEST = 254  # characters of an e-mail address (RFC 5321)

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL = r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PATTERNS: Mapping[Means, re.Pattern[str]] = {
    Means.EMAIL: re.compile(rf"(?=.{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"),
    Means.SMS: re.compile(r"1[3-9]\d{9}", re.ASCII),
    Means.WECOM: re.compile(_UUID),
    # The token alone, or with the secret of 加签 before it.
    Means.DINGTALK: re.compile(r"(?:SEC[0-9a-f]{64}@)?[0-9a-f]{64}"),
    Means.FEISHU: re.compile(_UUID),
}
# People copy the whole address of a robot: its key is what counts.
_COPIED: Mapping[Means, re.Pattern[str]] = {
    Means.WECOM: re.compile(r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=([^&#]*)"),
    Means.DINGTALK: re.compile(r"https://oapi\.dingtalk\.com/robot/send\?access_token=([^&#]*)"),
    Means.FEISHU: re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/([^/?#]*)/?"),
}
_SHOWN = 4  # characters of a key


def read_address(means: Means, typed: str) -> str:
    """Return the address in its one form. Raises ValueError where it is none."""
    text = typed.strip()
    if (copied := _COPIED.get(means)) and (found := copied.fullmatch(text)):
        text = found[1]
    if means is Means.SMS:
        text = text.removeprefix("+86").replace(" ", "").replace("-", "")
    if len(text) > LONGEST or not PATTERNS[means].fullmatch(text):
        raise ValueError(f"no address for {means}")
    return text


def masked_address(means: Means, address: str) -> str:
    """Return an address as pages show it: z***@hall.example, 138********, 693a****."""
    if means is Means.EMAIL:
        name, _, host = address.partition("@")
        return f"{name[0]}***@{host}"
    if means is Means.SMS:
        return address[:3] + "*" * (len(address) - 3)
    return address.rpartition("@")[2][:_SHOWN] + "****"
