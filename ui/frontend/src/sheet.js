// Forms open in a dialog where there is room; without script, and in a new tab, the same links open a page.
import htmx from "htmx.org/dist/htmx.esm.js";
import { say, toast } from "./parts.js";
import { isDirty } from "./form.js";

const sheet = document.getElementById("sheet");
const trouble = document.getElementById("trouble");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-sheet]");
  if (link && sheet && link.href && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    link.closest("details[data-menu]")?.removeAttribute("open");
    await htmx.ajax("GET", link.getAttribute("href"), { target: "#sheet", swap: "innerHTML", source: sheet });
    return;
  }
  // A button that asks first; the dialog's own button then sends the form.
  const asking = event.target.closest("[data-ask]");
  if (asking) {
    event.preventDefault();
    document.getElementById(asking.dataset.ask).showModal();
    return;
  }
  const close = event.target.closest("[data-close]");
  const dialog = close?.closest("dialog");
  if (dialog) {
    event.preventDefault();
    leave(dialog);
  } else if (event.target === sheet && !isDirty(sheet)) {
    sheet.close();
  }
});

sheet?.addEventListener("cancel", (event) => {
  event.preventDefault();
  if (!sheet.querySelector("[role='combobox'][aria-expanded='true']")) leave(sheet);
});

for (const dialog of [sheet, trouble]) dialog?.addEventListener("close", () => dialog.replaceChildren());

document.addEventListener("htmx:after:swap", () => {
  if (trouble?.firstElementChild) return showTrouble();
  if (!sheet?.firstElementChild) return;
  if (!sheet.open) sheet.showModal();
  const wrong = sheet.querySelector("[aria-invalid='true']") ?? sheet.querySelector("[data-wrong]");
  const first = sheet.querySelector(".form-body :is(input:not([type='hidden']), select, textarea):not(:disabled)");
  (wrong ?? first ?? sheet.querySelector("[data-close]"))?.focus();
});

document.addEventListener("htmx:error", () => toast(say("broken")));

/** What went wrong stands over the form, which stays as it was typed. */
export function showTrouble(html) {
  if (html) trouble.replaceChildren(document.createRange().createContextualFragment(html));
  if (!trouble.open) trouble.showModal();
  trouble.querySelector(".form-foot [data-close]").focus();
}

function leave(dialog) {
  if (!isDirty(dialog) || window.confirm(say("discard"))) dialog.close();
}
