"""What comes out of the printer: the whole content, and nothing to click."""

import re
from io import BytesIO
from unicodedata import normalize

import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader

from rules.case.vocabulary import Role
from tests.support.browsing import Browsing
from tests.support.running import House
from tests.support.stage import ODD, TAIL, USERS, Stage, set_stage

# Forms, buttons, navigation: what makes no sense on paper.
TO_CLICK = "form, button, input, select, textarea, nav, summary, .button, .rehearsal, .top, .bottom, .skip"
CONTENT = "main :is(h1, h2, h3, dt, dd, caption, th, td, .timeline > li, .days > li, p.typed)"
# What stands in a form, or folded away behind something to click, is no content of the paper.
SAID = """all => all.filter(e => e.checkVisibility() && !e.closest(".no-print, form, details"))
  .map(e => e.innerText.trim()).filter(text => text)"""
# A box that scrolls on the screen may cut nothing off on paper.
CUT_OFF = """() => [...document.querySelectorAll("main *")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"
    && e.checkVisibility() && !e.matches(".unseen"))
  .map((e) => e.outerHTML.slice(0, 120))"""
PAPER = {"width": 680, "height": 960}  # an A4 page between its margins, in CSS pixels


@pytest.fixture(scope="module")
def stage(rehearsal: House) -> Stage:
    """The cases that are printed."""
    return set_stage(rehearsal)


def letters(text: str) -> str:
    """A text without its spaces, which a PDF sets as it likes, and without letters that only look alike."""
    return re.sub(r"\s", "", normalize("NFKC", text))


async def printed(page: Page) -> str:
    """Check the page in print, against itself on the screen; return the text of the PDF."""
    shown: list[str] = await page.eval_on_selector_all(CONTENT, SAID)
    assert shown
    await page.emulate_media(media="print")
    await page.set_viewport_size(PAPER)
    assert await page.eval_on_selector_all(CONTENT, SAID) == shown
    left = page.locator(TO_CLICK).locator("visible=true")
    assert await left.evaluate_all("all => all.map(e => e.outerHTML.slice(0, 120))") == []
    assert await page.evaluate(CUT_OFF) == []
    reader = PdfReader(BytesIO(await page.pdf(format="A4")))
    text = letters("".join(sheet.extract_text() for sheet in reader.pages))
    assert len(reader.pages) <= 8 and text
    return text


@pytest.mark.parametrize("role", [Role.WINDOW_LEAD, Role.CONTACT, Role.AUDITOR])
async def test_the_case_is_printed_whole_and_without_its_forms(
    browsing: Browsing, stage: Stage, role: Role
) -> None:
    number = stage.worked["number"]
    async with browsing.at(f"/cases/{number}", by=USERS[role]) as page:
        titles = await page.locator(".timeline .event strong").all_inner_texts()
        text = await printed(page)
        assert letters(number) in text and "全部经过" in text
        assert len(titles) >= 8
        for title in titles:
            assert letters(title) in text


async def test_the_ledger_is_printed(browsing: Browsing, stage: Stage) -> None:
    async with browsing.at(f"/cases/{stage.closed['number']}/ledger", by=USERS[Role.AUDITOR]) as page:
        text = await printed(page)
        for part in ("附件3", stage.closed["number"], "=SUM(A1)", "办结时限", "亮灯"):
            assert letters(part) in text, part


async def test_the_receipt_is_printed_and_is_the_same_as_a_pdf(browsing: Browsing, stage: Stage) -> None:
    async with browsing.at(f"/counter/receipt/{stage.told['id']}", by=USERS[Role.CLERK]) as page:
        pdf = await page.context.request.get(f"{page.url}.pdf")
        sheets = PdfReader(BytesIO(await pdf.body())).pages
        made = letters("".join(sheet.extract_text() for sheet in sheets))
        await expect(page.get_by_role("img", name="二维码")).to_be_visible()
        text = await printed(page)
        await expect(page.get_by_role("img", name="二维码")).to_be_visible()
        for part in ("受理回执", stage.told["number"], "反映的问题", "=SUM(A1)", "一次性告知", "接下来"):
            assert letters(part) in text and letters(part) in made, part
        # As typed: a bracket is no markup, braces are no template, and no letter is lost.
        for letter in letters(ODD):
            assert letter in made, letter
        assert letters('<b id="planted">粗</b> {{ 7*7 }}') in made


async def test_the_citizens_page_is_printed(browsing: Browsing, stage: Stage) -> None:
    async with browsing.at("/public") as page:
        await page.get_by_label("查询码").fill(stage.closed["query_code"])
        await page.get_by_label("手机号后四位").fill(TAIL)
        await page.get_by_role("button", name="查询", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("已办结")
        text = await printed(page)
        assert letters(stage.closed["number"]) in text and "=SUM(A1)" in text
        assert "评价" not in text.partition("办理经过")[0]
