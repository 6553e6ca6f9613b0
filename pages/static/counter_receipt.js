// The receipt: the draft of what was just sent goes, and the page can be printed by a button.
import { dropDraft, readDraft } from "./counter_drafts.js";

const sent = document.querySelector("[data-sent]");
// Only that one: the next form may be under way in another tab.
if (sent && readDraft(sent.dataset.user)?.key === sent.dataset.sent) dropDraft(sent.dataset.user);

const print = document.querySelector("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
