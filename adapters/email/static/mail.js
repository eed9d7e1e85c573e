// The form works without this script, which fills in the browser's time zone and previews a query while it is typed.
"use strict";
const form = document.getElementById("mail");
const output = document.getElementById("mail-past");
const zone = form.elements.zone;
if (zone.value === "UTC") {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
let timer;
let latest = 0;
async function preview() {
  const request = ++latest;
  const query = form.elements.query.value.trim();
  if (!query) {
    output.replaceChildren();
    return;
  }
  const answer = await fetch(`${form.dataset.preview}?${new URLSearchParams({ query })}`);
  if (answer.ok && request === latest) {
    output.innerHTML = await answer.text();
  }
}
form.elements.query.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(preview, 400);
});
