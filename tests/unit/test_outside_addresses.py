"""Addresses as users type them: what passes, in which form, and how it is shown."""

import pytest

from rules.delivering import Means
from rules.outside_addresses import masked_address, read_address

UUID = "693a91f6-7ac0-4bc4-97a0-0ec251fa5aaa"
TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("means", "typed", "expected"),
    [
        ("email", " zhou.x+y@hall.example.cn ", "zhou.x+y@hall.example.cn"),
        ("email", "a@b.cn", "a@b.cn"),
        ("sms", "13800130001", "13800130001"),
        ("sms", "+86 138-0013-0001", "13800130001"),
        ("wecom", UUID, UUID),
        ("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={UUID}", UUID),
        ("dingtalk", TOKEN, TOKEN),
        ("dingtalk", f"SEC{TOKEN}@{TOKEN}", f"SEC{TOKEN}@{TOKEN}"),
        ("dingtalk", f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}", TOKEN),
        ("feishu", UUID, UUID),
        ("feishu", f"https://open.feishu.cn/open-apis/bot/v2/hook/{UUID}", UUID),
    ],
)
def test_an_address_is_read_in_one_form(means: str, typed: str, expected: str) -> None:
    assert read_address(Means(means), typed) == expected


@pytest.mark.parametrize(
    ("means", "typed"),
    [
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@localhost"),
        ("email", "a@127.0.0.1"),
        ("email", "a@b.cn\nBcc: c@d.cn"),
        ("email", "a@b.cn, c@d.cn"),
        ("email", "<a@b.cn>"),
        ("email", "..a@b.cn"),
        ("email", "周@hall.cn"),
        ("email", "a" * 65 + "@b.cn"),
        ("email", "a@" + "b." * 130 + "cn"),
        ("sms", "0773-2800000"),
        ("sms", "12800130001"),
        ("sms", "138001300011"),
        ("sms", "１３８００１３０００１"),
        ("wecom", "http://10.0.0.1/"),
        ("wecom", "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=" + UUID),
        ("wecom", f"{UUID}&debug=1"),
        ("dingtalk", TOKEN[:-1]),
        ("dingtalk", f"x@{TOKEN}"),
        ("dingtalk", f"{TOKEN}/13800130001"),
        ("feishu", "../../x"),
        ("feishu", f"http://open.feishu.cn/open-apis/bot/v2/hook/{UUID}"),
    ],
)
def test_what_is_no_address_is_refused(means: str, typed: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        read_address(Means(means), typed)


@pytest.mark.parametrize(
    ("means", "address", "expected"),
    [
        ("email", "zhou@hall.example", "z***@hall.example"),
        ("sms", "13800130001", "138********"),
        ("wecom", UUID, "693a****"),
        ("dingtalk", f"SEC{'f' * 64}@{TOKEN}", "0123****"),
    ],
)
def test_pages_show_an_address_masked(means: str, address: str, expected: str) -> None:
    assert masked_address(Means(means), address) == expected
