"""Somebody without a mouse: Tab through a page, Enter and Space on what has the focus."""

import asyncio

from playwright.async_api import Page

_LISTEN = """() => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  document.activeElement?.blur();
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  window.reached = new Set();
  window.unmarked = new Set();
  document.addEventListener("focusin", ({ target }) => {
    window.reached.add(target);
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const { top, bottom, left, right } = target.getBoundingClientRect();
    const seen = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 2 || !seen) window.unmarked.add(target);
  });
  const there = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled;
  window.stops = [...document.querySelectorAll(all)].filter(there);
  return window.stops.length;
}"""
_TELL = """() => {
  const said = (each) => each.outerHTML.slice(0, 160);
  // Of radio buttons that belong together one is a stop, and the arrows lead to the others.
  const group = (each) => each.type === "radio" &&
    [...window.reached].some((other) => other.name === each.name && other.form === each.form);
  const missed = window.stops.filter((each) => !window.reached.has(each) && !group(each));
  return [...missed.map((each) => "not reached: " + said(each)),
    ...[...window.unmarked].map((each) => "focus not to be seen: " + said(each))];
}"""
_SOME_MORE = 4  # the way from the last one round to the first


async def out_of_reach(page: Page) -> list[str]:
    """What Tab does not reach, or reaches without showing it. Every `details` is opened first."""
    stops = await page.evaluate(_LISTEN)
    session = await page.context.new_cdp_session(page)
    tab = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    presses = stops + _SOME_MORE
    await asyncio.gather(*(session.send("Input.dispatchKeyEvent", tab) for _ in range(presses)))
    await session.detach()
    missed: list[str] = await page.evaluate(_TELL)
    return missed


async def tab_to(page: Page, selector: str, most: int = 150) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"not reached by Tab: {selector}")
