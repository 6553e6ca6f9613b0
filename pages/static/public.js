// A receipt's QR code carries the query code behind the #: it is never sent with the address. It goes
// into its field, and out of the address bar before anybody photographs the screen.
const found = new URLSearchParams(location.hash.slice(1)).get("code");
const field = document.getElementById("query_code");
if (found && field) {
  field.value = found;
  history.replaceState(null, "", location.pathname);
  document.getElementById("phone_tail").focus();
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
