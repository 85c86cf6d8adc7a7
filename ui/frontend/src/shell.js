// The frame: menus, drawer, tabs, search key, toasts.
import { askToDelete, copyLink, fade, isTyping } from "./parts.js";

const side = () => document.getElementById("side");

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.closest("[data-side-open]")) openSide(true);
  else if (event.target.closest("[data-side-close]")) openSide(false);
  const tab = event.target.closest("[role='tab']");
  if (tab) choose(tab);
  const secret = event.target.closest("[data-show-secret]");
  if (secret) {
    const input = secret.parentElement.querySelector("input");
    input.type = input.type === "password" ? "text" : "password";
    secret.setAttribute("aria-pressed", String(input.type === "text"));
  }
  const gone = event.target.closest(".page-actions [data-delete]");
  if (gone) askToDelete(gone.dataset.delete);
  if (event.target.closest(".page-actions [data-copy]")) {
    event.target.closest("details").open = false;
    copyLink(location.pathname);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") escape(event);
  const menu = event.target.closest?.("details[data-menu][open]");
  if (menu && !menu.querySelector(".filter-sheet")) walkMenu(menu, event);
  if (event.target.matches?.("[role='tab']")) walkTabs(event);
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find")?.select();
    document.getElementById("find")?.focus();
  }
  const keyed = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (keyed) {
    event.preventDefault();
    keyed.click();
  }
});

function escape(event) {
  const menu = document.querySelector("details[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (document.body.classList.contains("side-open")) {
    openSide(false);
  } else if (event.target.matches("#find, #list-find")) {
    event.target.blur();
  }
}

function openSide(open) {
  document.body.classList.toggle("side-open", open);
  const opener = document.querySelector("[data-side-open]");
  opener?.setAttribute("aria-expanded", String(open));
  if (open) side().querySelector("a[aria-current], li a")?.focus();
  else opener?.focus();
}

function walkMenu(menu, event) {
  const items = [...menu.querySelectorAll(".menu-sheet a, .menu-sheet button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length].focus();
}

function choose(tab) {
  for (const other of tab.parentElement.querySelectorAll("[role='tab']")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  history.replaceState(history.state, "", `#${tab.id}`);
}

function walkTabs(event) {
  const tabs = [...event.target.parentElement.children];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  next.focus();
  choose(next);
}

const wanted = /^#tab-\d+$/.test(location.hash) && document.querySelector(location.hash);
if (wanted) choose(wanted);
// What is chosen in a row of stages or views is in sight, also on a phone.
for (const row of document.querySelectorAll(".path, .segment, .tabs")) {
  const now = row.querySelector("[aria-current]");
  if (now) row.scrollLeft = now.offsetLeft - (row.clientWidth - now.clientWidth) / 2;
}
for (const line of document.querySelectorAll("#toasts .toast-line")) fade(line, 9000);
