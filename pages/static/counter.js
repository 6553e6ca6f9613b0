// The registration form, quicker: drafts, a live preview of the due date, similar cases while typing,
// files by drag, and no second sending. Without this file the button 检查 shows the same.
import { dropDraft, keepDraft, readDraft } from "./counter_drafts.js";

const SOON = 400; // milliseconds after the last key
const MINUTE = 60_000;
const LARGEST = 20 * 1024 * 1024;

const form = document.querySelector("form[data-registration]");
const user = form.dataset.user;
const named = (name) => form.elements[name];
const isText = (field) => field.name && !["csrf", "files"].includes(field.name) && field.type !== "radio";

function later(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, SOON);
  };
}

function place(part, markup) {
  const copy = new DOMParser().parseFromString(markup, "text/html");
  part.replaceChildren(...copy.body.childNodes);
}

// Drafts. The key goes with them: a draft that was sent already files nothing twice.
function typed() {
  const fields = Object.fromEntries([...form.elements].filter(isText).map((field) => [field.name, field.value]));
  return { ...fields, "petitioner.kind": named("petitioner.kind").value };
}

const blank = JSON.stringify({ ...typed(), key: "" });
const isBlank = () => JSON.stringify({ ...typed(), key: "" }) === blank;

function keep() {
  if (form.hasAttribute("data-fresh") && isBlank()) dropDraft(user);
  else keepDraft(user, typed());
}

// A form that came back from 检查 or with faults has more rows of earlier attempts than a fresh one.
function addRow() {
  const rows = form.querySelectorAll(".attempt");
  const row = rows[rows.length - 1].cloneNode(true);
  for (const each of row.querySelectorAll("*")) {
    for (const { name, value } of [...each.attributes]) {
      each.setAttribute(name, value.replace(`attempts.${rows.length - 1}.`, `attempts.${rows.length}.`));
    }
  }
  row.setAttribute("aria-label", `第 ${rows.length + 1} 次`);
  rows[rows.length - 1].after(row);
}

function restore(fields) {
  while (`attempts.${form.querySelectorAll(".attempt").length}.on` in fields) addRow();
  for (const [name, value] of Object.entries(fields)) if (named(name)) named(name).value = value;
  const note = document.querySelector("[data-restored]");
  note.hidden = false;
  note.querySelector("[data-discard]").addEventListener("click", () => {
    dropDraft(user);
    location.assign("/counter");
  });
}

// Preview and similar cases. Nobody asks for the preview by hand: it must not keep a session alive.
async function preview() {
  if (document.hidden) return;
  const headers = { "X-Requested-With": "refresh" };
  const answer = await fetch("/counter/preview", { headers }).catch(() => null);
  if (answer?.redirected) clearInterval(asking); // signed out
  else if (answer?.ok) place(document.querySelector("[data-preview]"), await answer.text());
}

let asked = "";
async function similar() {
  const typed = { phone: "petitioner.phone", matter: "matter", cause: "cause" };
  const body = new URLSearchParams(Object.entries(typed).map(([as, name]) => [as, named(name).value]));
  if (String(body) === asked) return;
  const mine = (asked = String(body));
  const headers = { "X-CSRF-Token": named("csrf").value };
  const answer = await fetch("/counter/similar", { method: "POST", headers, body }).catch(() => null);
  if (mine === asked && answer?.ok && !answer.redirected) {
    place(document.querySelector("[data-similar]"), await answer.text());
  }
}

// Files.
const files = named("files");
const drop = form.querySelector("[data-drop]");

function listFiles() {
  const list = form.querySelector("[data-chosen]");
  list.hidden = files.files.length === 0;
  list.replaceChildren(
    ...Array.from(files.files, (file) => {
      const line = document.createElement("li");
      line.textContent = file.name + (file.size > LARGEST ? "(超过 20 MB,不会被添加)" : "");
      return line;
    }),
  );
}

function addFiles(dropped) {
  const all = new DataTransfer();
  for (const file of [...files.files, ...dropped]) all.items.add(file);
  files.files = all.files;
  listFiles();
}

for (const name of ["dragover", "dragenter"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  addFiles(event.dataTransfer.files);
});
files.addEventListener("change", listFiles);

// Sending, once.
let sending = false;
form.addEventListener("submit", (event) => {
  if (sending) event.preventDefault();
  sending = true;
  keep();
});
addEventListener("pageshow", () => (sending = false));
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("button.primary"));
});

const keepSoon = later(keep);
const similarSoon = later(similar);
form.addEventListener("input", (event) => {
  keepSoon();
  if (["petitioner.phone", "matter", "cause"].includes(event.target.name)) similarSoon();
});
addEventListener("pagehide", () => sending || keep());

const draft = form.hasAttribute("data-fresh") && readDraft(user);
if (draft) restore(draft);
// What came with the page stays: somebody may be on a link in it already.
const shown = document.querySelector("[data-similar]").hasAttribute("data-shown");
if (!shown && (named("petitioner.phone").value || named("matter").value)) similar();
const asking = setInterval(preview, MINUTE);
preview();
form.querySelector("[data-keys]").hidden = false;
