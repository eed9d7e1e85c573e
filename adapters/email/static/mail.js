// The form works without this script. With it, the time zone is the browser's, and a query is previewed as it is typed.
"use strict";
const form = document.getElementById("mail");
const past = document.getElementById("mail-past");
const zone = form.elements.zone;
if (zone.value === "UTC") {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
let waiting;
let asked = 0;
async function look() {
  const mine = ++asked;
  const query = form.elements.query.value.trim();
  if (!query) {
    past.replaceChildren();
    return;
  }
  const answer = await fetch(`${form.dataset.preview}?${new URLSearchParams({ query })}`);
  if (answer.ok && mine === asked) {
    past.innerHTML = await answer.text();
  }
}
form.elements.query.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, 400);
});
