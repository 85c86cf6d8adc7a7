// What several modules need.
export const say = (name) => document.body.dataset[`say${name[0].toUpperCase()}${name.slice(1)}`] ?? "";
export const csrf = () => document.body.dataset.csrf ?? "";
export const isTyping = (target) => !!target.closest?.("input, textarea, select, [contenteditable='true'], dialog[open]");

export function toast(text) {
  const line = document.createElement("div");
  line.className = "toast-line";
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  const place = document.querySelector("dialog.sheet[open]") ?? document;
  document.getElementById("toasts")?.replaceChildren(line);
  if (place !== document) line.classList.add("over");
  fade(line, 5000);
}

/** A toast goes by itself, but not while it is pointed at or holds the focus. */
export function fade(line, delay) {
  setTimeout(() => {
    if (line.matches(":hover, :focus-within")) fade(line, 2000);
    else line.remove();
  }, delay);
}

export async function copyLink(address) {
  await navigator.clipboard.writeText(new URL(address, location.href).href);
  toast(say("copied"));
}

/** Ask before deleting; the dialog's form is what deletes. */
export function askToDelete(address) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
  const ask = document.getElementById("ask");
  ask.querySelector("form").action = address;
  ask.showModal();
}
