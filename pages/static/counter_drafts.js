// Drafts of the registration form, in this browser only: one per user, for twelve hours at most, and
// gone at sign-out. They hold personal data, so nothing may linger at a computer that people share.
const PREFIX = "bancheng.draft.";
const KEPT = 12 * 60 * 60 * 1000; // milliseconds

let over = false; // signed out: what is typed until the page has gone is not kept

function keys() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return []; // a browser that forbids the store has no drafts
  }
}

export function readDraft(user) {
  try {
    const draft = JSON.parse(localStorage.getItem(PREFIX + user));
    return draft && Date.now() - draft.at < KEPT ? draft.fields : null;
  } catch {
    return null;
  }
}

export function keepDraft(user, fields) {
  if (over) return;
  try {
    localStorage.setItem(PREFIX + user, JSON.stringify({ at: Date.now(), fields }));
  } catch {
    // A full or forbidden store costs the draft, never the form.
  }
}

export function dropDraft(user) {
  try {
    localStorage.removeItem(PREFIX + user);
  } catch {
    // There is none.
  }
}

export function tidyDrafts() {
  for (const key of keys()) if (!readDraft(key.slice(PREFIX.length))) localStorage.removeItem(key);
  for (const form of document.querySelectorAll('form[action="/sign-out"]')) {
    form.addEventListener("submit", () => {
      over = true;
      for (const key of keys()) localStorage.removeItem(key);
    });
  }
}
