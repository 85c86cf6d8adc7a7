// Forms: nothing is sent twice, nothing typed is lost unasked, the first mistake gets the focus.
import { say } from "./parts.js";

const touched = new WeakSet();
let leaving = false;

export const isDirty = (within) => [...within.querySelectorAll("form[data-form]")].some((form) => touched.has(form));

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("form[data-form]");
    if (form && event.isTrusted !== false) touched.add(form);
    else if (form && event.detail?.byPerson) touched.add(form);
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.closest("[data-pick]")) return; // it leaves no page
  if (form.matches("[data-form], [data-once]")) {
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "true";
    for (const button of form.querySelectorAll("button:not([type='button'])")) button.setAttribute("aria-busy", "true");
    // A page that comes back by the Back button, or an answer that never comes, can be sent again.
    setTimeout(() => again(form), 10_000);
  }
  leaving = true;
}, true);

document.addEventListener("htmx:finally:request", (event) => {
  if (event.detail?.ctx?.hx?.redirect) return;
  leaving = false;
  const form = event.target.closest?.("form");
  if (form) again(form);
});

window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(again));

window.addEventListener("beforeunload", (event) => {
  if (!leaving && isDirty(document)) event.preventDefault();
});

// The page asks in the browser's words; a link back from the form asks in ours.
document.addEventListener("click", (event) => {
  const link = event.target.closest("form[data-form] .form-foot a");
  if (!link || link.closest("dialog")) return;
  if (isDirty(document) && !window.confirm(say("discard"))) event.preventDefault();
  else leaving = true;
});

function again(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-form]");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

const wrong = document.querySelector("main form [aria-invalid='true']") ?? document.querySelector("main [data-wrong]");
if (wrong) {
  touched.add(wrong.closest("form"));
  wrong.focus();
} else if (document.querySelector("main .edit-form")) {
  document.querySelector("main .form-body :is(input:not([type='hidden']), select, textarea)")?.focus();
}
