"""Screenshots of the pages, for the README: `make screenshots`.

Starts a throw-away rehearsal, plays a few days of a hall, and writes docs/images/. Every name in the
pictures is invented.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.support.browsing import PHONE, Browsing
from tests.support.running import House

IMAGES = Path(__file__).parent / "images"
LARGEST, MOST = 200_000, 1_000_000  # bytes: of one picture, of all
DESK = {"width": 1280, "height": 800}
# Name, path, user. A path may name the case that the story is about.
STAFF_PAGES = (
    ("counter", "/counter", "guilin.clerk"),
    ("queue", "/counter/queue", "guilin.clerk"),
    ("department", "/department", "guilin.market.contact"),
    ("lead", "/lead", "guilin.lead"),
    ("supervision", "/supervision", "guilin.supervisor"),
    ("case", "/cases/{number}", "guilin.supervisor"),
)
MATTERS = (
    ("食品经营许可证变更", "去了三次,每次都说材料不齐,没有一次讲清还缺什么。", "market", "simple"),
    ("个体工商户注销", "系统里查不到当年的登记,窗口说没法办。", "market", "commitment"),
    ("异地医保报销", "两个窗口互相推,都说不归自己管。", "medical", "simple"),
    ("不动产权证遗失补办", "老房子没有原始档案,一直补不了证。", "resources", "commitment"),
)

NOTICE = {"materials": "身份证、营业执照副本", "window": "3 号窗口", "person": "演示", "contact": "12345"}


def play(house: House) -> dict[str, Any]:
    """Let the hall work for some days; return a case that was answered, with its query code."""
    late = filed(house, *MATTERS[1])
    house.give("guilin.market.contact", late, "sign")
    house.give("guilin.market.contact", late, "progress", text="已向档案馆调取当年的登记材料。")
    house.advance(working_days=4)
    for matter in MATTERS[2:]:
        filed(house, *matter)
    answered = filed(house, *MATTERS[0])
    house.give("guilin.market.contact", answered, "sign")
    house.advance(working_hours=3)
    text = "只缺一份食品安全管理制度,范本已发给您;今天交来,当场换证。"
    house.give("guilin.market.contact", answered, "reply", text=text, resolved=True)
    house.give("guilin.lead", answered, "check_reply", accept=True)
    house.advance(working_days=2)  # the first case is overdue now
    filed(house, *MATTERS[0])
    house.file(matter="居住证办理", problem="居住证明要跑三个部门盖章。")
    return answered | {"late": late["number"]}


def filed(house: House, matter: str, problem: str, unit: str, kind: str) -> dict[str, Any]:
    """File a case and send it to a unit."""
    case = house.file(matter=matter, problem=problem)
    house.give("guilin.clerk", case, "triage", kind=kind, unit=unit, one_time_notice=NOTICE, cause="other")
    return case


async def shoot(house: House, story: dict[str, Any]) -> list[Path]:
    """Take every picture."""
    taken = []
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        browsing = Browsing(browser, house)
        for name, address, username in STAFF_PAGES:
            async with browsing.at(address.format(number=story["late"]), username, viewport=DESK) as page:
                taken.append(await picture(page, f"{name}-1280"))
        async with browsing.at("/public", viewport=PHONE) as page:
            await page.get_by_label("查询码").fill(story["query_code"])
            await page.get_by_label("手机号后四位").fill("8000")
            await page.get_by_role("button", name="查询", exact=True).click()
            taken.append(await picture(page, "public-360"))
        async with browsing.at("/help", viewport=PHONE) as page:
            taken.append(await picture(page, "help-360"))
        await browser.close()
        browsing.check()
    return taken


async def picture(page: Page, name: str) -> Path:
    """Take one picture, of what the screen shows without scrolling."""
    await page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path)
    return path


def main() -> int:
    """Write the pictures; fail where they would weigh down the repository."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), "rehearse").start()
        try:
            taken = asyncio.run(shoot(house, play(house)))
        finally:
            house.stop()
    sizes = {path.name: path.stat().st_size for path in taken}
    print(*(f"{size:>8,} {name}" for name, size in sizes.items()), sep="\n")
    too_large = [name for name, size in sizes.items() if size > LARGEST]
    if too_large or sum(sizes.values()) > MOST:
        print("too large:", *too_large or ["all together"], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
