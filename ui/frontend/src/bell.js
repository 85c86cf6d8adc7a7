// The bell: how many notifications are unread and how many tasks wait, asked for now and then while somebody looks at the page.
// The answer is a 304 with no body until something changes (GET /api/v1/notifications/state). All tabs share what one learns.
import { csrf, say } from "./parts.js";

const EVERY_MS = 20_000;
const IDLE_MS = 10 * 60_000; // a page that nobody touches stops asking: asking keeps a session alive
const bell = document.querySelector("[data-bell]");
const key = bell && `fieldstone.bell.${bell.dataset.bell}`;
const title = document.title;
const marks = document.querySelectorAll("[data-todo]");
let known = null;
let touched = Date.now();
let timer = 0;

function stored() {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** What waits in the inbox, as the badges of the menu, the bar of a phone and the inbox itself say it. */
function showTodo({ todo, overdue }) {
  if (todo === undefined) return;
  const shown = todo > 99 ? "99+" : String(todo);
  for (const mark of marks) {
    if (mark.dataset.todo === String(todo) && mark.dataset.overdue === String(overdue)) continue;
    Object.assign(mark.dataset, { todo, overdue });
    mark.innerHTML = `<span aria-hidden="true">${shown}</span><span class="unseen"></span>`;
    mark.lastChild.textContent = ` (${mark.dataset.say.replace("{count}", shown)})`;
    dress(mark, todo, overdue);
  }
  for (const mark of document.querySelectorAll("[data-todo-too]")) {
    mark.textContent = todo.toLocaleString(document.documentElement.lang);
    dress(mark, todo, overdue);
  }
}

function dress(mark, todo, overdue) {
  mark.hidden = !todo;
  mark.classList.toggle("is-late", overdue > 0);
}

/** What this page was made with is newer than what another page left. */
function fresh(state) {
  const [mark] = marks;
  return mark ? { ...state, todo: Number(mark.dataset.todo), overdue: Number(mark.dataset.overdue) } : state;
}

function keep(state) {
  try {
    localStorage.setItem(key, JSON.stringify(state));
  } catch {
    // A browser that keeps nothing asks in each tab.
  }
}

function show(state, isNews) {
  showTodo(state);
  const count = state.unread;
  const badge = bell.querySelector(".bell-count");
  badge.hidden = !count;
  badge.textContent = count > 99 ? "99+" : String(count);
  bell.setAttribute("aria-label", count ? say("unread").replace("{count}", count) : bell.title);
  document.title = count ? `(${count}) ${title}` : title;
  const isMore = isNews && known && state.newest !== known.newest && count > 0;
  known = state;
  if (!isMore) return;
  bell.classList.remove("is-new");
  void bell.offsetWidth; // begins the animation anew
  bell.classList.add("is-new");
  document.querySelector("[data-bell-says]").textContent = bell.getAttribute("aria-label");
}

function learn(state) {
  show(state, true);
  keep({ ...state, at: Date.now() });
}

async function ask() {
  const answer = await fetch("/api/v1/notifications/state").catch(() => null);
  if (answer?.ok) learn(await answer.json());
  else if (answer?.status === 401) stop(); // signed out: the next click leads to the sign-in page
}

function stop() {
  clearInterval(timer);
  timer = 0;
}

function look() {
  if (document.hidden || Date.now() - touched > IDLE_MS) return;
  const found = stored();
  if (found && Date.now() - found.at < EVERY_MS / 2) show(found, true);
  else ask();
}

function begin() {
  if (timer || document.hidden) return;
  look();
  timer = setInterval(look, EVERY_MS);
}

/** Told to the server while the browser may be on its way to the next page. */
function read(id) {
  const body = new URLSearchParams({ csrf: csrf() });
  fetch(`/notifications/${id}/read`, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
  learn({ ...known, unread: Math.max(0, (known?.unread ?? 1) - 1), newest: known?.newest ?? null });
}

if (bell) {
  const found = stored();
  if (found) {
    keep(fresh(found));
    show(fresh(found), false);
  }
  begin();
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : begin()));
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, () => (touched = Date.now()), { passive: true, capture: true });
  }
  window.addEventListener("pageshow", (event) => event.persisted && ask()); // by the way back
  window.addEventListener("storage", (event) => {
    if (event.key === key && event.newValue) show(JSON.parse(event.newValue), true);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-notice]");
    if (link) read(link.dataset.notice);
  });
  const told = () => {
    const list = document.querySelector("[data-notices]");
    if (list) learn({ ...known, unread: Number(list.dataset.unread), newest: list.dataset.newest || null });
  };
  told();
  document.addEventListener("htmx:after:swap", told);
}
