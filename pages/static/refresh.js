// Lists that bring themselves up to date: an element with `data-refresh` (seconds) and an id is
// exchanged for the same one of a fresh copy of the page. Nobody who types, chooses or marks a text in
// it is disturbed, focus and scrolling stay where they were, and where the sign-in is over it stops.
const TYPING = "input:not([type=hidden]), textarea, select";

// A field that differs from what the server sent holds something that somebody typed or chose.
const isChanged = (field) =>
  field.matches("select")
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.matches("[type=checkbox], [type=radio]")
      ? field.checked !== field.defaultChecked
      : field.value !== field.defaultValue;

function isBusy(part) {
  const active = document.activeElement;
  if (part.contains(active) && active.matches(TYPING)) return true;
  if ([...part.querySelectorAll(TYPING)].some(isChanged)) return true;
  const marked = getSelection();
  return !marked.isCollapsed && marked.rangeCount > 0 && marked.getRangeAt(0).intersectsNode(part);
}

// How to find an element again in the fresh part: by its id, its address, or its label.
function trace(part) {
  const active = document.activeElement;
  if (!part.contains(active) || active === part) return null;
  for (const name of ["id", "href", "aria-label"]) {
    const value = active.getAttribute(name);
    if (value) return `${active.localName}[${name}="${CSS.escape(value)}"]`;
  }
  return null;
}

function exchange(part, fresh) {
  const focused = trace(part);
  const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  const open = new Set([...part.querySelectorAll("details[open][id]")].map((each) => each.id));
  const at = window.scrollY;
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll(".scroll").forEach((box, n) => (box.scrollLeft = scrolled[n] ?? 0));
  part.querySelectorAll("details[id]").forEach((each) => (each.open ||= open.has(each.id)));
  if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
  if (window.scrollY !== at) window.scrollTo({ top: at, behavior: "instant" });
}

// Tokens and keys of forms are new in every copy: they alone are no reason to exchange anything.
function text(part) {
  const plain = part.cloneNode(true);
  for (const field of plain.querySelectorAll("input[name=csrf], input[name=key]")) field.remove();
  return plain.innerHTML;
}

// The count of unread messages stands in the navigation, on every page.
function refreshCount(copy) {
  const [old, now] = [document, copy].map((page) => page.querySelector('.top nav a[href="/inbox"]'));
  if (old && now && old.innerHTML !== now.innerHTML) old.replaceChildren(...now.childNodes);
}

async function refresh(parts) {
  if (document.hidden) return true;
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" } }).catch(() => null);
  if (!answer) return true; // the network is away: try again
  if (answer.redirected || answer.status === 401 || answer.status === 403) return false; // signed out
  if (!answer.ok) return true;
  const copy = new DOMParser().parseFromString(await answer.text(), "text/html");
  refreshCount(copy);
  for (const part of parts) {
    const fresh = copy.getElementById(part.id);
    if (fresh && !isBusy(part) && text(fresh) !== text(part)) exchange(part, fresh);
  }
  return true;
}

export function followLists() {
  const parts = [...document.querySelectorAll("[data-refresh][id]")];
  if (!parts.length) return;
  const seconds = Math.min(...parts.map((part) => Number(part.dataset.refresh)));
  // One after the other, never two at once: a slow server is not asked faster than it answers.
  const wait = () =>
    setTimeout(async () => {
      if (await refresh(parts)) wait();
    }, seconds * 1000);
  wait();
}
