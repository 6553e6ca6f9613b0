"""The words of a 通报 as a document, from the facts on its record alone."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from casework.acts import Record, ShownAct
from casework.bulletin_document import bulletin_pdf, day_words, time_words, words_of
from casework.errors import NotFound

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "department": "桂林市政务服务监督管理部门",
    "year": 2026,
    "serial": 7,
    "issued_at": "2026-11-26T02:00:00Z",
    "hall": "桂林市政务服务中心",
    "unit": "市场监管局",
    "person": "李某",
    "post": "副局长",
    "ground": "order_unanswered",
    "case_number": "guilin-20260309-0001",
    "received_at": "2026-03-08T16:30:00Z",
    "order": "2",
    "order_given_at": "2026-03-09T01:20:00Z",
    "order_due_at": "2026-03-11T09:30:00Z",
    "refused_at": [],
    "statements": 0,
    "serious": None,
}


def record(matter: str | None = None, **changed: Any) -> Record:
    texts = {"matter": matter} if matter else {}
    act = ShownAct(2, 2, AT, "issued", {}, {"document": FACTS | changed}, texts, "0" * 64)
    return Record([act], True)


def body(matter: str | None = None, **changed: Any) -> str:
    return "\n".join(words_of(record(matter, **changed))["body"])


def test_times_are_of_shanghai_and_written_as_documents_do() -> None:
    assert day_words("2026-03-08T16:30:00Z") == "2026年3月9日"
    assert time_words("2026-03-09T01:05:00Z") == "2026年3月9日9时05分"


def test_an_unanswered_order_is_told_with_its_number_and_both_times() -> None:
    said = body("食品经营许可证变更")
    assert "2026年3月9日，桂林市政务服务中心“办不成事”反映窗口受理办件" in said
    assert "（编号guilin-20260309-0001，事项为“食品经营许可证变更”）" in said
    assert "2026年3月9日9时20分，我部门就该办件下达第2号督办单，要求于2026年3月11日17时30分前" in said
    assert "责任单位：市场监管局；责任人：李某(副局长)。" in said and "拒不配合" in said


@pytest.mark.parametrize(
    ("ground", "expected"),
    [
        (
            "two_refused_returns",
            "先后两次退单，经裁定均不成立，时间分别为2026年3月9日9时20分、2026年3月10日9时20分。",
        ),
        (
            "two_refused_replies",
            "两次答复经审核均未通过，时间分别为2026年3月9日9时20分、2026年3月10日9时20分。",
        ),
    ],
)
def test_refusals_are_told_with_their_times(ground: str, expected: str) -> None:
    refused = ["2026-03-09T01:20:00Z", "2026-03-10T01:20:00Z"]
    assert expected in body(ground=ground, order=None, order_due_at=None, refused_at=refused)


def test_what_was_not_known_is_not_made_up() -> None:
    said = body(person=None, post=None, received_at=None, order_given_at=None)
    assert "责任人：待查明。" in said and "None" not in said


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"statements": 0}, "该单位未提交说明。"),
        ({"statements": 2}, "已听取该单位说明（2次）。"),
        ({"serious": "repeated"}, "已按规定移送问责。"),
    ],
)
def test_statements_and_referral_are_told(changed: dict[str, Any], expected: str) -> None:
    assert expected in body(**changed)


def test_nothing_is_printed_of_what_was_not_issued() -> None:
    with pytest.raises(NotFound):
        words_of(Record([], True))


async def test_what_people_typed_is_text_and_never_markup() -> None:
    hostile = '#panic("x") *粗* $x$ <a> @b \\ "'
    pdf = PdfReader(io.BytesIO(await bulletin_pdf(record(hostile, unit="很长的单位名称" * 12))))
    text = "".join("".join(page.extract_text().split()) for page in pdf.pages)
    assert "#panic(" in text and "*粗*" in text and "$x$" in text and "<a>@b" in text
    assert pdf.metadata is not None and "7号" in str(pdf.metadata.title)
