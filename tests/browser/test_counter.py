"""The counter's story in a real browser: from the keyboard to the receipt, and on to the triage."""

from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from playwright.async_api import Page, expect

from tests.support.browsing import PHONE, Browsing, is_within_width, sign_in, violations

STRANGE = "<script>alert(1)</script>\n=1+1 שלום 𠮷😀"
LINE = "<b>二楼</b> =1+1 שלום 𠮷"
PDF = {"name": "证明.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\ntrailer<<>>\n%%EOF"}
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
TEXT = {"name": "说明.txt", "mimeType": "text/plain", "buffer": b"text"}


async def write(page: Page, phone: str, matter: str) -> None:
    """Fill the form in its order, by keyboard alone: the name has the focus, Tab leads on."""
    await expect(page.get_by_label("姓名")).to_be_focused()
    for text in ("周小明", phone, "", "", matter, STRANGE):
        if text:
            await page.keyboard.insert_text(text)
        await page.keyboard.press("Tab")
    await expect(page.locator('[name="attempts.0.channel"]')).to_be_focused()


async def triage(page: Page, number: str) -> None:
    """Open the case from the queue and send it to a unit."""
    await page.goto("/counter/queue")
    await page.get_by_role("link", name=f"分派 {number}").click()
    await page.get_by_role("combobox", name="类别").select_option("simple")
    await page.get_by_label("成因").select_option("system_barrier")
    await page.get_by_label("承办单位").select_option("market")
    notice = page.get_by_role("group", name="一次性告知")
    await notice.get_by_label("所需材料").fill("身份证\n<b>户口簿</b>")
    for label, text in (("窗口", "3 号窗口"), ("经办人", "李某"), ("联系电话", "12345")):
        await notice.get_by_label(label).fill(text)
    await page.get_by_role("button", name="确认分派").click()
    await expect(page.get_by_role("status")).to_contain_text(f"已分派 {number}")


async def number_on(page: Page) -> str:
    """The number on the receipt."""
    return (await page.locator("#number").inner_text()).strip()


async def test_the_counter_story(browsing: Browsing, tmp_path: Path) -> None:
    async with browsing.at("/counter", by="guilin.clerk") as page:
        assert await violations(page) == []
        await expect(page.locator("[data-preview]")).to_contain_text("即办件")
        await write(page, "13800130101", "夜间施工许可")
        await page.wait_for_timeout(600)
        await page.reload()
        await expect(page.get_by_text("已恢复上次未提交的草稿")).to_be_visible()
        await expect(page.get_by_label("反映的问题")).to_have_value(STRANGE)
        await page.get_by_label("附件").set_input_files([PDF, TEXT])
        await expect(page.locator("[data-chosen]")).to_contain_text("证明.pdf")
        await page.get_by_label("政务服务事项").press("Control+Enter")

        await expect(page.get_by_role("heading", name="办不成事窗口受理回执")).to_be_visible()
        assert await violations(page) == []
        number, code = await number_on(page), await page.locator("[data-code]").inner_text()
        assert number.startswith("guilin-") and code not in unquote(page.url)
        await expect(page.get_by_text("<script>alert(1)</script>")).to_contain_text("=1+1 שלום 𠮷😀")
        await expect(page.get_by_role("alert")).to_contain_text("说明.txt")
        await expect(page.get_by_role("article")).to_contain_text("证明.pdf")
        await expect(page.get_by_role("img", name="二维码")).to_be_visible()
        assert await page.evaluate("Object.keys(localStorage).filter(k => k.includes('draft'))") == []
        pdf = await page.context.request.get(f"{page.url}.pdf")
        assert (await pdf.body()).startswith(b"%PDF-") and len(await pdf.body()) > 10_000

        receipt = page.url
        await triage(page, number)
        await page.goto(receipt)
        await expect(page.get_by_role("article")).to_contain_text("<b>户口簿</b>")


async def test_the_counter_story_without_scripts(browsing: Browsing) -> None:
    async with browsing.at("/counter", by="guilin.clerk2", javascript=False) as page:
        await write(page, "13800130102", "社保转移")
        await page.get_by_label("身份证号").fill("110101199001011234")
        await page.get_by_label("日期").first.fill("上周")
        await page.get_by_role("button", name="提交登记").click()
        faults = page.locator("p.fault")
        await expect(faults).to_have_text(["校验位不正确", "必填", "应为日期(YYYY-MM-DD)", "必填", "必填"])
        await expect(page.get_by_role("alert")).to_contain_text("身份证号：校验位不正确")
        await expect(page.get_by_label("反映的问题")).to_have_value(STRANGE)
        await page.get_by_label("身份证号").fill("")
        await page.get_by_label("日期").first.fill("")
        await page.get_by_role("button", name="检查").click()
        await expect(page.get_by_role("status")).to_contain_text("尚未登记")
        await expect(page.get_by_text("没有相似的在办件")).to_be_visible()
        await page.get_by_role("button", name="提交登记").click()
        await expect(page.locator("[data-code]")).to_be_visible()
        await triage(page, await number_on(page))


async def test_a_double_click_makes_one_case_and_similar_ones_show_while_typing(browsing: Browsing) -> None:
    async with browsing.at("/counter", by="guilin.clerk") as page:
        await write(page, "13800130103", "公积金提取")
        await page.get_by_role("button", name="提交登记").dblclick()
        await expect(page.locator("[data-code]")).to_be_visible()
        number = await number_on(page)
        await page.goto("/counter")
        await page.get_by_label("联系电话").press_sequentially("13800130103")
        await expect(page.locator("[data-similar] a")).to_have_count(1)
        await expect(page.locator("[data-similar]")).to_contain_text(number)
        await expect(page.locator("[data-similar]")).to_contain_text("同一电话")


async def test_similar_cases_that_came_with_the_page_stay_where_they_are(browsing: Browsing) -> None:
    """Asked for again, they would be replaced under whoever has just reached one of them by keyboard."""
    browsing.house.file(petitioner={"kind": "person", "name": "张小演", "phone": "13800130109"})
    async with browsing.at("/counter", by="guilin.clerk") as page:
        await page.get_by_label("联系电话").fill("13800130109")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        await page.get_by_role("button", name="检查").click()
        await expect(page.locator("[data-similar] a")).to_have_count(1)
        await page.wait_for_load_state("networkidle")
        assert "preview" in asked and "similar" not in asked[asked.index("preview") :]


async def test_files_come_by_button_and_by_dragging_them_there(browsing: Browsing, tmp_path: Path) -> None:
    """The browser itself carries the files, as if they came from a folder of the desktop."""
    dragged = [tmp_path / name for name in ("照片一.png", "照片二.png")]
    for number, path in enumerate(dragged):
        path.write_bytes(PNG + bytes([number]))
    async with browsing.at("/counter", by="guilin.clerk") as page:
        await write(page, "13800130104", "公积金提取")
        async with page.expect_file_chooser() as opened:
            await page.get_by_label("附件").click()
        await (await opened.value).set_files([PDF])
        await drag(page, "[data-drop]", dragged)
        await expect(page.locator("[data-chosen] li")).to_have_text(["证明.pdf", "照片一.png", "照片二.png"])
        await expect(page.locator("[data-drop]")).not_to_have_class("drop over")
        await page.get_by_role("button", name="提交登记").click()
        await page.get_by_role("link", name="办件详情").click()
        files = page.get_by_role("region", name="附件")
        await expect(files.get_by_role("link")).to_have_text(["证明.pdf", "照片一.png", "照片二.png"])
        for path in dragged:
            content = path.read_bytes()
            await expect(files).to_contain_text(sha256(content).hexdigest())
            link = await files.get_by_role("link", name=path.name).get_attribute("href")
            assert await (await page.context.request.get(f"{link}")).body() == content


async def drag(page: Page, onto: str, paths: list[Path]) -> None:
    """Drag files in from outside and let them go over an element."""
    session = await page.context.new_cdp_session(page)
    await page.locator(onto).scroll_into_view_if_needed()
    box = await page.locator(onto).bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    carried = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": step, "data": carried, **at})
        if step == "dragOver":
            await expect(page.locator(onto)).to_have_class("drop over")


async def test_a_draft_keeps_every_row_of_earlier_attempts(browsing: Browsing) -> None:
    async with browsing.at("/counter", by="guilin.clerk2") as page:
        for row in range(2):
            await page.locator(f'[name="attempts.{row}.where"]').fill(f"第 {row} 处")
            await page.locator(f'[name="attempts.{row}.on"]').fill("2026-01-05")
        await page.get_by_role("button", name="检查").click()
        await page.wait_for_url("**/counter/check")  # it has a row more than a fresh form
        await page.locator('[name="attempts.2.where"]').fill(LINE)
        await page.locator('[name="attempts.2.channel"]').select_option("电话")
        await page.wait_for_timeout(600)
        await page.goto("/counter")
        await expect(page.get_by_text("已恢复上次未提交的草稿")).to_be_visible()
        third = page.get_by_role("group", name="第 3 次")
        await expect(third.get_by_label("地点或平台")).to_have_value(LINE)
        await expect(third.get_by_label("方式")).to_have_value("电话")
        for row in range(2):
            await expect(page.locator(f'[name="attempts.{row}.where"]')).to_have_value(f"第 {row} 处")
        assert await violations(page) == []
        await third.get_by_label("日期").fill("2026-01-06")
        await page.get_by_role("button", name="检查").click()
        await page.wait_for_url("**/counter/check")
        await expect(page.locator('[name="attempts.2.on"]')).to_have_value("2026-01-06")
        await expect(page.get_by_role("group", name="第 4 次")).to_be_visible()


async def test_a_form_left_open_keeps_no_session_alive(browsing: Browsing) -> None:
    """It asks for the preview by itself, says so, and stops once nobody is signed in."""
    async with browsing.at("/help", by="guilin.clerk") as page:
        await page.clock.install()
        async with page.expect_request("**/counter/preview") as first:
            await page.goto("/counter")
        async with page.expect_request("**/counter/preview") as second:
            await page.clock.run_for(61_000)
        for asked in (await first.value, await second.value):
            assert asked.headers.get("x-requested-with") == "refresh"
        await page.context.clear_cookies()
        later: list[str] = []
        page.on("request", lambda request: later.append(request.url))
        async with page.expect_response("**/sign-in?*"):
            await page.clock.run_for(61_000)
        await page.wait_for_timeout(300)
        await page.clock.run_for(180_000)
        await page.wait_for_timeout(300)
        assert len([url for url in later if url.endswith("/counter/preview")]) == 1


async def test_a_draft_ends_with_the_sign_out(browsing: Browsing) -> None:
    async with browsing.at("/sign-in") as page:
        await sign_in(page, "chengzhong.clerk")
        await page.goto("/counter")
        await page.get_by_label("姓名").fill("周小明")
        await page.wait_for_timeout(600)
        kept = "Object.keys(localStorage).filter(k => k.includes('draft'))"
        assert await page.evaluate(kept) == ["bancheng.draft.chengzhong.clerk"]
        await page.get_by_role("button", name="退出").click()
        await expect(page.get_by_label("用户名")).to_be_visible()
        assert await page.evaluate(kept) == []


async def test_the_queue_is_sound_and_fits_a_narrow_window(browsing: Browsing) -> None:
    case = browsing.house.file()
    async with browsing.at("/counter/queue", by="guilin.lead", viewport=PHONE) as page:
        await expect(page.get_by_role("region", name="待分派", exact=True)).to_contain_text(case["number"])
        assert await violations(page) == []
        assert await is_within_width(page)
        await page.goto(f"/counter/triage/{case['number']}")
        await page.get_by_role("combobox", name="类别").select_option("consultation")
        await expect(page.get_by_label("咨询解答")).to_be_visible()
        await expect(page.get_by_label("承办单位")).to_be_hidden()
        assert await violations(page) == []
