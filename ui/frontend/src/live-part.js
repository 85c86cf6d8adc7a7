// One record of a live form: the object's own, or one line. It reads its controls and draws what follows from them.
import { choicesOf } from "./choices.js";
import { inputsOf, lookUp, readControls, writeControls } from "./controls.js";
import { fitted } from "./record.js";
import { show } from "./showing.js";

export class LivePart {
  /** `keys` goes before the names of its formulas, `names` before those of its controls. */
  constructor(live, element, plan, record, keys, names) {
    Object.assign(this, { live, element, plan, record, keys, names, messages: [], state: record.$ });
    const isMine = (found) => keys !== "" || !found.closest("tbody.line");
    const all = (selector) => [...element.querySelectorAll(selector)].filter(isMine);
    this.places = new Map(all("[data-field]").map((place) => [place.dataset.field, place]));
    this.conditional = all("[data-show], [data-require]");
    this.outputs = all("[data-worked]");
    this.fixed = all("[data-filled]"); // read-only fields that are taken over through a reference
    this.controls_ = new Map();
    this.reached = new Map();
    this.following = new Set(); // fields whose default nobody has changed
    this.touched = new Map(); // field -> when it was changed last, in turns
    this.turn = 0;
    this.left = new Set();
    this.told = new Set();
    this.choices = choicesOf(this);
  }

  get isNew() {
    return this.state.prior === null;
  }

  controls(field) {
    if (!this.controls_.has(field)) {
      this.controls_.set(field, [...this.element.querySelectorAll(`[name="${CSS.escape(this.names + field)}"]`)]);
    }
    return this.controls_.get(field);
  }

  /** Read every control: what the server or the browser has filled in counts, too. `isFresh`: nothing has yet. */
  begin(isFresh) {
    for (const field of this.places.keys()) this.read(field);
    for (const name of Object.keys(this.plan.reach)) this.reached.set(name, this.state.values[name] ?? null);
    this.choices.begin();
    for (const field of this.isNew ? this.plan.defaults : []) {
      const isDefault = () => same(this.defaultOf(field), this.state.values[field]);
      if (this.controls(field).length && (isFresh || isDefault())) this.following.add(field);
    }
    this.state.forget();
  }

  read(field) {
    const plan = this.plan.fields[field];
    const controls = plan ? this.controls(field) : [];
    if (controls.length) this.state.set(field, readControls(plan, controls, this.live.here.zone));
  }

  changed(field, isLeft) {
    this.touched.set(field, (this.turn += 1));
    this.following.delete(field);
    this.read(field);
    if (isLeft) this.left.add(field);
    if (isLeft && field in this.plan.reach) this.reach(field);
  }

  /** The values behind a reference that was changed, and what is taken over through it. */
  async reach(field) {
    const id = this.state.values[field] ?? null;
    if (this.reached.get(field) === id) return;
    this.reached.set(field, id);
    const since = this.turn;
    const asked = new URLSearchParams({ field, id: id ?? "", ...(this.keys && { lines: this.keys.slice(0, -1) }) });
    const address = `/o/${this.live.plan.object}/reach?${asked}`;
    const response = id && (await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null));
    const found = response?.ok ? await response.json() : { values: {}, fill: {} };
    if (this.reached.get(field) !== id || !this.element.isConnected) return;
    for (const behind of this.plan.reach[field]) this.state.set(`${field}.${behind}`, found.values[`${field}.${behind}`] ?? null);
    for (const [name, fill] of Object.entries(found.fill)) {
      for (const place of this.fixed.filter((one) => one.dataset.filled === name)) place.textContent = fill.text || "—";
      const isFilled = (this.state.values[name] ?? null) !== null;
      const isNewer = (this.touched.get(name) ?? 0) > since; // typed while the answer was on its way
      if (!isNewer && !(this.plan.fetches[name].ifBlank && isFilled)) this.write(name, fill.value, fill.title);
    }
    this.live.later();
  }

  /** Put a value into the controls of a field. */
  write(field, value, title = "") {
    const plan = this.plan.fields[field];
    const controls = plan ? this.controls(field) : [];
    this.state.set(field, value);
    if (controls.length) writeControls(plan, controls, value, this.live.here.zone, title);
    if (plan?.to && value && !title) lookUp(plan.to, value, controls);
    if (field in this.plan.reach) this.reach(field);
  }

  defaultOf(field) {
    const value = this.live.value(`${this.keys}default:${field}`, this.record);
    return fitted(this.live.fs, this.plan.fields[field]?.fit, value);
  }

  /** Defaults that follow, and choices that go with others. */
  settle() {
    for (const field of this.following) {
      const value = this.defaultOf(field);
      if (!same(value, this.state.values[field])) this.write(field, value, value === this.live.here.userId ? this.live.data.person : "");
    }
    this.choices.settle();
  }

  holds(keys) {
    return keys.split(" ").every((key) => this.live.value(this.keys + key, this.record) === true);
  }

  draw() {
    for (const place of this.conditional) {
      const { show: shown, require } = place.dataset;
      if (shown) setHidden(inside(place), !this.holds(shown));
      if (require) setRequired(place, this.holds(require));
    }
    for (const output of this.outputs) {
      const name = output.dataset.worked;
      const text = show(this.plan.worked[name], this.record[name], this.live.where) || "—";
      if (output.textContent !== text) output.textContent = text;
    }
    this.judge();
  }

  /** A rule is told of once a field that it reads was changed and left; what is mended goes at once. */
  judge() {
    this.messages = this.plan.rules.filter((rule) => {
      const isDue = this.told.has(rule.error) || rule.reads.some((field) => this.touched.has(field) && this.left.has(field));
      return isDue && this.holds(rule.error) && !(rule.unless && this.holds(rule.unless));
    });
    this.told = new Set(this.messages.map((rule) => rule.error));
    const first = new Map();
    for (const rule of [...this.messages].reverse()) first.set(this.placeFor(rule), rule);
    for (const [field, place] of this.places) this.mark(field, inside(place), first.get(field));
  }

  /** The field where a message stands; of a line the first that the rule reads, where it names none. */
  placeFor(rule) {
    if (this.places.has(rule.field)) return rule.field;
    return this.keys ? rule.reads.find((field) => this.places.has(field)) : undefined;
  }

  /** What a rule says now: its text with the values that stand in it. */
  textOf(rule) {
    const parts = rule.message.map((part) =>
      typeof part === "string" ? part : show(part.show, this.live.value(this.keys + part.key, this.record), this.live.where),
    );
    return parts.join("");
  }

  mark(field, place, rule) {
    const line = place.querySelector(":scope > [data-live-wrong]");
    const text = rule ? this.textOf(rule) : "";
    if ((line?.dataset.liveWrong ?? "") === (rule?.error ?? "") && (line?.dataset.liveText ?? "") === text) return;
    const id = `f-${this.names}${field}-rule`;
    line?.remove();
    if (rule) {
      place.append(Object.assign(messageLine(this.live.form, rule.level, text), { id }));
      Object.assign(place.lastElementChild.dataset, { liveWrong: rule.error, liveText: text });
      this.live.say(text);
    }
    for (const control of inputsOf(this.controls(field))) {
      const others = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
      const described = [...others, ...(rule ? [id] : [])].join(" ");
      if (described) control.setAttribute("aria-describedby", described);
      else control.removeAttribute("aria-describedby");
      const isWrong = rule?.level === "error" || !!document.getElementById(`f-${this.names}${field}-wrong`);
      if (isWrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
      control.classList.toggle("is-invalid", isWrong);
    }
  }
}

/** Of a cell its content: hidden, it leaves its place in the table. */
const inside = (place) => (place.matches("td") ? place.firstElementChild : place);
const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

export function messageLine(form, level, text) {
  const line = Object.assign(document.createElement("p"), { className: level === "error" ? "wrong" : "wrong doubtful" });
  const mark = form.querySelector("template[data-mark]").content.firstElementChild.cloneNode(true);
  line.append(mark, Object.assign(document.createElement("span"), { textContent: text }));
  return line;
}

function setHidden(place, isHidden) {
  if (place.hidden !== isHidden) place.hidden = isHidden;
}

function setRequired(place, isRequired) {
  const mark = place.querySelector("[data-must]");
  if (!mark || mark.hidden !== isRequired) return;
  mark.hidden = !isRequired;
  for (const control of place.querySelectorAll("[role='combobox'], [role='radiogroup']")) control.setAttribute("aria-required", String(isRequired));
  for (const control of place.querySelectorAll("input:not([type='hidden'], [type='checkbox'], [role='combobox']), select, textarea")) control.required = isRequired;
}
