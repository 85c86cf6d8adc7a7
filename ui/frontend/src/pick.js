// A record that a lookup does not find is made in a dialog of its own, over the form; then the lookup holds it.

import { say, toast } from "./parts.js";
import { showTrouble } from "./sheet.js";

/** Ask for a new record of the object whose options `source` gives; null when the person thinks better of it. */
export async function makeRecord(source, text) {
  const address = source.replace(/options$/, "new");
  const dialog = Object.assign(document.createElement("dialog"), { className: "sheet" });
  dialog.dataset.pick = "";
  dialog.setAttribute("aria-labelledby", "pick-title");
  document.body.append(dialog);
  const made = new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(null));
    dialog.addEventListener("submit", (event) => send(dialog, event, resolve), true);
    dialog.addEventListener("click", (event) => {
      if (!event.target.closest("[data-close]")) return;
      event.preventDefault();
      event.stopPropagation();
      dialog.close();
    });
  });
  const response = await ask(`${address}?${new URLSearchParams({ _pick: text || "1" })}`);
  if (response?.ok) {
    fill(dialog, await response.text());
    dialog.showModal();
    focus(dialog);
  } else await refused(response);
  const record = response?.ok ? await made : null;
  dialog.remove();
  if (record && !record.id) toast(record.text); // it waits for an approval: there is nothing to refer to yet
  return record?.id ? record : null;
}

const ask = (address, more = {}) => fetch(address, { ...more, headers: { "HX-Request": "true" } }).catch(() => null);

async function send(dialog, event, resolve) {
  event.preventDefault();
  event.stopImmediatePropagation();
  const form = event.target;
  if (form.dataset.sent) return;
  form.dataset.sent = "true";
  const body = new FormData(form, event.submitter);
  const response = await ask(form.action, { method: "POST", body: new URLSearchParams(body) });
  delete form.dataset.sent;
  if (response?.headers.get("content-type")?.startsWith("application/json")) {
    resolve(await response.json());
  } else if (!response || response.headers.has("hx-retarget")) {
    await refused(response);
  } else {
    fill(dialog, await response.text());
    focus(dialog);
  }
}

async function refused(response) {
  if (response?.headers.has("hx-retarget")) showTrouble(await response.text());
  else toast(say("broken"));
}

/** The server's own form; nothing in it runs but what listens already. */
function fill(dialog, html) {
  const form = document.createRange().createContextualFragment(html);
  const title = form.querySelector("#sheet-title");
  if (title) title.id = "pick-title";
  // Its controls must not be taken for those of the form below.
  for (const element of form.querySelectorAll("[id^='f-']")) element.id = `pick-${element.id}`;
  for (const name of ["for", "aria-controls", "aria-describedby", "aria-labelledby"]) {
    for (const element of form.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, element.getAttribute(name).replace(/(^| )f-/g, "$1pick-f-"));
    }
  }
  dialog.replaceChildren(form);
  document.dispatchEvent(new CustomEvent("fs:form"));
}

function focus(dialog) {
  const wrong = dialog.querySelector("[aria-invalid='true']") ?? dialog.querySelector("[data-wrong]");
  (wrong ?? dialog.querySelector(".form-body :is(input:not([type='hidden']), select, textarea):not(:disabled)"))?.focus();
}
