// Forms of the case page: only the fields that fit what was chosen, each form sent once, anchors opened.
const chosen = (form, name) => new FormData(form).get(name) ?? "";

function fit(form) {
  for (const part of form.querySelectorAll("[data-when]")) {
    const fits = part.dataset.values.split(" ").includes(chosen(form, part.dataset.when));
    part.hidden = !fits;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !fits;
  }
}

for (const form of document.querySelectorAll("form")) {
  if (form.querySelector("[data-when]")) {
    fit(form);
    form.addEventListener("change", () => fit(form));
  }
  if ("once" in form.dataset) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      setTimeout(() => delete form.dataset.sent, 10_000); // so that nobody waits for a lost answer
    });
  }
}
// A page that comes back from the browser's memory has not been sent yet.
addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent));

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let around = target; around; around = around.parentElement) if (around.matches("details")) around.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", reveal);
if (location.hash) reveal();

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
