// The list: rows open, their menu, picking several, walking by keys.
import { askToDelete, copyLink, isTyping } from "./parts.js";

// htmx's own history fetches pages again on every jump within one: only the address is kept here.
document.addEventListener("htmx:after:request", (event) => {
  const address = event.detail?.ctx?.response?.headers?.get("HX-Replace-Url");
  if (address) history.replaceState(history.state, "", address);
});

const menu = () => document.getElementById("row-menu");
let opener = null;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-row-menu]");
  if (button) return openMenu(button);
  const chosen = event.target.closest("#row-menu a, #row-menu button");
  if (chosen) act(chosen, event);
  closeMenu();
  const row = event.target.closest("table.listing tbody tr[data-id]");
  const isOwn = event.target.closest("a, button, input, label, .pick, .more");
  if (row && !isOwn && !getSelection().toString()) {
    const link = row.querySelector(".name a");
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  }
  if (event.target.closest("[data-pick-none]")) pick(document.querySelectorAll("#rows .pick input"), false);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) pick(document.querySelectorAll("#rows .pick input"), event.target.checked);
  else if (event.target.matches("#rows .pick input")) count();
  else if (event.target.matches("select.quick")) event.target.classList.toggle("is-set", !!event.target.value);
  else if (event.target.matches("#add-op")) {
    const value = document.querySelector("[data-filter-value]");
    if (value) value.hidden = ["blank", "filled"].includes(event.target.value);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu() && !menu().hidden) {
    closeMenu();
    opener?.focus();
  } else if (event.target.closest?.("#row-menu")) {
    const items = [...menu().children].filter((item) => !item.hidden);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  } else if (!isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    walk(event);
  }
});

/** j and k, or the arrows once a row has the focus. */
function walk(event) {
  const links = [...document.querySelectorAll("table.listing tbody .name a, [data-found]")];
  const at = links.indexOf(document.activeElement);
  const isArrow = at >= 0 || event.target === document.body || event.target.id === "main";
  const step = { j: 1, k: -1, ...(isArrow && at >= 0 ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key];
  if (!step || !links.length) return;
  event.preventDefault();
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function openMenu(button) {
  const sheet = menu();
  const wasOpen = !sheet.hidden && opener === button;
  closeMenu();
  if (wasOpen) return;
  opener = button;
  const address = `/o/${sheet.dataset.object}/${button.closest("tr").dataset.id}`;
  sheet.dataset.address = address;
  for (const link of sheet.querySelectorAll("[data-go]")) link.href = address + link.dataset.go;
  const may = button.closest("tr").dataset.may?.split(" ");
  for (const item of sheet.querySelectorAll("[data-asks]")) item.hidden = may !== undefined && !may.includes(item.dataset.asks);
  sheet.hidden = false;
  sheet.showPopover?.();
  const place = button.getBoundingClientRect();
  const isLow = place.bottom + sheet.offsetHeight + 8 > innerHeight;
  sheet.style.left = `${Math.max(8, place.right - sheet.offsetWidth)}px`;
  sheet.style.top = `${isLow ? place.top - sheet.offsetHeight - 4 : place.bottom + 4}px`;
  sheet.querySelector("a, button").focus();
}

function closeMenu() {
  const sheet = menu();
  if (!sheet || sheet.hidden) return;
  sheet.hidePopover?.();
  sheet.hidden = true;
}

function act(chosen, event) {
  const address = menu().dataset.address;
  if (chosen.matches("[data-copy]")) copyLink(address);
  else if (chosen.matches("[data-delete]")) askToDelete(`${address}/delete`);
  else if (!chosen.matches("[data-go]")) event.preventDefault();
}

function pick(boxes, picked) {
  for (const box of boxes) box.checked = picked;
  count();
}

function count() {
  const boxes = [...document.querySelectorAll("#rows .pick input")];
  const picked = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("tr").classList.toggle("is-picked", box.checked);
  const all = document.querySelector("[data-pick-all]");
  if (all) {
    all.checked = picked.length > 0 && picked.length === boxes.length;
    all.indeterminate = picked.length > 0 && picked.length < boxes.length;
  }
  const bar = document.getElementById("bulk-bar");
  if (!bar) return;
  bar.hidden = !picked.length;
  bar.querySelector("[data-picked]").textContent = picked.length;
  const merge = bar.querySelector("[data-merge]");
  if (!merge) return;
  merge.hidden = picked.length < 2 || picked.length > 3;
  merge.href = `${merge.dataset.merge}?ids=${picked.map((box) => box.value).join(",")}`;
}
