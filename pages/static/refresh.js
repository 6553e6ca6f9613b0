// Lists that bring themselves up to date: an element with `data-refresh` (seconds) and an id is
// exchanged for the same one of a fresh copy of the page, unless somebody is typing or choosing in it.
const busy = (part) =>
  part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, button");

async function refresh(part) {
  if (document.hidden || busy(part)) return;
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" } }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const copy = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = copy.getElementById(part.id);
  const count = copy.querySelector(".top nav");
  if (fresh && !busy(part) && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
  if (count) document.querySelector(".top nav").replaceChildren(...count.childNodes);
}

export function followLists() {
  for (const part of document.querySelectorAll("[data-refresh][id]")) {
    setInterval(() => refresh(part), Number(part.dataset.refresh) * 1000);
  }
}
