// A grid of lines in a form: add, remove with undo, move, walk by keys. What cells mean is live.js's.
// Each change of which lines there are is told by the event "fs:lines".
import { paste } from "./paste.js";

const FIELDS = "input:not([type='hidden'], :disabled, [tabindex='-1']), select:not(:disabled), textarea:not(:disabled), .rich-area";
const say = (grid, name, value) => {
  const line = grid.closest("form").querySelector("[data-form-says]");
  const text = (grid.dataset[`say${name}`] ?? "").replace(/\{\w+\}/, value ?? "");
  if (line) line.textContent = line.textContent === text ? `${text}\u00a0` : text;
};
const tell = (grid) => grid.dispatchEvent(new CustomEvent("fs:lines", { bubbles: true }));
const touch = (grid) => grid.querySelector("input").dispatchEvent(new CustomEvent("change", { bubbles: true, detail: { byPerson: true } }));
export const rowsOf = (grid) => [...grid.querySelectorAll("tbody.line:not(.is-gone)")];

export function bindLines(grid) {
  if (grid.dataset.bound) return;
  grid.dataset.bound = "true";
  for (const row of grid.querySelectorAll("tbody.line-spare")) row.remove();
  if ("begin" in grid.dataset) addLine(grid);
  grid.addEventListener("input", fresh, true);
  grid.addEventListener("change", fresh, true);
  grid.addEventListener("click", (event) => click(grid, event));
  grid.addEventListener("keydown", (event) => key(grid, event));
  grid.addEventListener("pointerdown", (event) => drag(grid, event));
  grid.addEventListener("paste", (event) => paste(grid, event, { addLine, rowsOf, tell, touch, say }));
  // A line that nobody has touched is not sent.
  grid.closest("form").addEventListener("formdata", (event) => {
    for (const row of grid.querySelectorAll("tbody.line[data-fresh]")) {
      for (const control of row.querySelectorAll("[name]")) event.formData.delete(control.name);
    }
  });
}

/** What a person puts into a new line makes it count. */
const fresh = (event) => event.target.closest("tbody.line")?.removeAttribute("data-fresh");

export function addLine(grid, after = null) {
  const number = grid.dataset.next;
  grid.dataset.next = Number(number) + 1;
  const row = grid.querySelector("template[data-line-blank]").content.querySelector("tbody").cloneNode(true);
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) {
      if (value.includes("__n__")) element.setAttribute(name, value.replaceAll("__n__", number));
    }
  }
  row.dataset.fresh = "";
  const last = rowsOf(grid).at(-1);
  const place = after ?? last;
  if (place) place.after(row);
  else grid.querySelector("tbody.lines-none").before(row);
  tell(grid);
  return row;
}

function click(grid, event) {
  const row = event.target.closest("tbody.line");
  if (event.target.closest("[data-line-add]")) {
    focusFirst(addLine(grid));
    say(grid, "Added");
  } else if (event.target.closest("[data-line-delete]")) {
    remove(grid, row);
  } else if (event.target.closest("[data-line-undo]")) {
    undo(grid, event.target.closest("tbody"));
  } else if (event.target.closest("[data-line-more]")) {
    open(row, !row.querySelector(".line-more").classList.contains("is-open"));
  }
}

export function open(row, isOpen) {
  row.querySelector(".line-more")?.classList.toggle("is-open", isOpen);
  row.querySelector("[data-line-more]")?.setAttribute("aria-expanded", String(isOpen));
}

const focusFirst = (row) => row?.querySelector(FIELDS)?.focus();

/** A removed line leaves a bar in its place that brings it back. */
function remove(grid, row) {
  const rows = rowsOf(grid);
  const at = rows.indexOf(row);
  const next = rows[at + 1] ?? rows[at - 1];
  const isEmpty = row.hasAttribute("data-fresh");
  row.classList.add("is-gone");
  for (const control of row.querySelectorAll("[name]:not(:disabled)")) {
    control.disabled = true;
    control.dataset.goneWith = "";
  }
  if (isEmpty) {
    row.remove();
    (next ? next.querySelector(FIELDS) : grid.querySelector("[data-line-add]"))?.focus();
  } else {
    row.after(bar(grid, at + 1));
    row.nextElementSibling.querySelector("button").focus();
    say(grid, "Gone", at + 1);
  }
  tell(grid);
  touch(grid);
}

function bar(grid, number) {
  const body = document.createElement("tbody");
  body.className = "line-gone";
  const cell = body.insertRow().insertCell();
  cell.colSpan = 99;
  const text = (grid.dataset.sayGone ?? "").replace("{n}", number);
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-plain", textContent: grid.dataset.sayUndo });
  button.dataset.lineUndo = "";
  cell.append(Object.assign(document.createElement("span"), { textContent: text }), button);
  return body;
}

function undo(grid, body) {
  const row = body.previousElementSibling;
  body.remove();
  row.classList.remove("is-gone");
  for (const control of row.querySelectorAll("[data-gone-with]")) {
    control.disabled = false;
    delete control.dataset.goneWith;
  }
  focusFirst(row);
  tell(grid);
}

function key(grid, event) {
  if (event.defaultPrevented || event.isComposing) return;
  const row = event.target.closest("tbody.line");
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (row && step && event.target.closest("[data-line-move]")) {
    event.preventDefault();
    move(grid, row, step);
  } else if (row && step && event.altKey) {
    event.preventDefault();
    move(grid, row, step);
  } else if (row && event.key === "Enter" && event.target.matches("input, select") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    down(grid, row, event.target);
  }
}

/** Enter goes to the cell below; in the last line it makes a new one. */
function down(grid, row, control) {
  const rows = rowsOf(grid);
  const field = control.closest("[data-field]")?.dataset.field;
  const isLast = row === rows.at(-1);
  const next = isLast ? addLine(grid, row) : rows[rows.indexOf(row) + 1];
  if (isLast) focusFirst(next);
  else next.querySelector(`[data-field="${CSS.escape(field)}"]`)?.querySelector(FIELDS)?.focus();
}

function move(grid, row, step) {
  const rows = rowsOf(grid);
  const at = rows.indexOf(row);
  const other = rows[at + step];
  if (!other) return;
  const focused = document.activeElement;
  if (step > 0) other.after(row);
  else other.before(row);
  focused.focus();
  say(grid, "Moved", at + step + 1);
  tell(grid);
  touch(grid);
}

/** The line follows the pointer from place to place. */
function drag(grid, event) {
  const grip = event.target.closest("[data-line-move]");
  if (!grip || event.button) return;
  const row = grip.closest("tbody.line");
  const start = rowsOf(grid).indexOf(row);
  event.preventDefault();
  grip.focus();
  grip.setPointerCapture(event.pointerId);
  row.classList.add("is-dragged");
  const follow = (moved) => {
    const under = rowsOf(grid).find((other) => {
      const box = other.getBoundingClientRect();
      return other !== row && moved.clientY > box.top && moved.clientY < box.bottom;
    });
    if (!under) return;
    const box = under.getBoundingClientRect();
    const isBelow = row.getBoundingClientRect().top < box.top;
    if (isBelow && moved.clientY > box.top + box.height / 2) under.after(row);
    else if (!isBelow && moved.clientY < box.top + box.height / 2) under.before(row);
    if (!grip.hasPointerCapture(moved.pointerId)) grip.setPointerCapture(moved.pointerId);
  };
  const end = () => {
    grip.removeEventListener("pointermove", follow);
    row.classList.remove("is-dragged");
    const place = rowsOf(grid).indexOf(row);
    if (place === start) return;
    say(grid, "Moved", place + 1);
    tell(grid);
    touch(grid);
  };
  grip.addEventListener("pointermove", follow);
  grip.addEventListener("pointerup", end, { once: true });
  grip.addEventListener("pointercancel", end, { once: true });
}

const start = () => document.querySelectorAll("[data-lines]").forEach(bindLines);
start();
for (const kind of ["htmx:after:swap", "fs:form"]) document.addEventListener(kind, start);
