// Every page works without this file; it only makes some of them quicker.
import { tidyDrafts } from "./counter_drafts.js";
import { followLists } from "./refresh.js";

for (const found of document.querySelectorAll("[data-focus]")) found.focus();
followLists();
tidyDrafts();
