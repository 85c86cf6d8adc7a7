// The inbox: keys, picking, filters that apply themselves. j and k are the list's.
import { isTyping } from "./parts.js";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const row = document.activeElement?.closest?.(".inbox-row");
  if (!row) return;
  if (event.key === "x") {
    const box = row.querySelector(".inbox-pick input");
    if (!box) return;
    event.preventDefault();
    box.checked = !box.checked;
    count(box.form);
  } else if (event.key === "a") {
    const link = row.querySelector("a.inbox-approve");
    event.preventDefault();
    (link ?? row.querySelector(".inbox-link")).click();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".inbox-pick input")) count(event.target.form);
  else if (event.target.matches(".inbox-tools select")) event.target.form.requestSubmit();
});

document.addEventListener("reset", (event) => {
  if (event.target.id === "inbox-form") setTimeout(() => count(event.target));
});

function count(form) {
  const picked = form.querySelector("[data-picked]");
  if (picked) picked.textContent = form.querySelectorAll(".inbox-pick input:checked").length;
}

for (const form of document.querySelectorAll("#inbox-form")) count(form);
for (const button of document.querySelectorAll("[data-submits]")) button.hidden = true;
