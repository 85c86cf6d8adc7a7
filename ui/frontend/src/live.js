// A form that thinks along: conditions, formulas, defaults, validations and dependent choices, as one types.
// What is worked out comes from the object's rules module (/o/{object}/rules-….js); the server decides in the end.
import { LiveLines } from "./live-lines.js";
import { LivePart, messageLine } from "./live-part.js";
import { recordsOf } from "./record.js";

const forms = new WeakMap();

export async function liven(form) {
  if (forms.has(form)) return;
  forms.set(form, null);
  const data = JSON.parse(form.dataset.live);
  const module = await import(data.module).catch(() => null); // without it the form works as it does without script
  if (module && form.isConnected) forms.set(form, new LiveForm(form, data, module));
}

class LiveForm {
  constructor(form, data, { plan, formulas, fs }) {
    Object.assign(this, { form, data, plan, formulas, fs, here: data.here });
    this.where = { language: data.language, zone: data.here.zone, words: data.words };
    const records = recordsOf(this, plan, "");
    this.record = records.make(data.values, data.isNew ? null : data.prior);
    this.part = new LivePart(this, form, plan, this.record, "", "");
    this.lines = new Map();
    for (const element of form.querySelectorAll("[data-lines]")) {
      const name = element.dataset.lines;
      if (plan.lines[name]) this.lines.set(name, new LiveLines(this, element, name, plan.lines[name], data.lines[name] ?? []));
    }
    this.part.begin(false);
    form.addEventListener("input", (event) => this.changed(event, false));
    form.addEventListener("change", (event) => this.changed(event, true));
    form.addEventListener("fs:lines", (event) => this.linesChanged(event.target));
    this.update();
    form.dataset.isLive = ""; // tests wait for it
  }

  changed(event, isLeft) {
    const { name } = event.target;
    if (!name) return;
    const row = event.target.closest("tbody.line");
    const lines = row && this.lines.get(row.closest("[data-lines]").dataset.lines);
    const part = row ? lines?.partOf(row) : this.part;
    const field = row ? name.split(".")[2] : name;
    if (part) part.changed(field, isLeft);
    if (part) this.later();
  }

  linesChanged(element) {
    this.lines.get(element.closest("[data-lines]")?.dataset.lines)?.collect();
    this.later();
  }

  /** All that is changed in one turn is worked out once. */
  later() {
    if (this.waits) return;
    this.waits = true;
    queueMicrotask(() => {
      this.waits = false;
      if (this.form.isConnected) this.update();
    });
  }

  update() {
    this.record.$.forget();
    this.part.settle();
    for (const lines of this.lines.values()) lines.settle();
    this.record.$.forget();
    this.part.draw();
    for (const lines of this.lines.values()) lines.draw();
    this.tell();
  }

  value(key, record) {
    const formula = this.formulas[key];
    return formula ? formula(this.here, record, record.$.prior) : null;
  }

  say(text) {
    const line = this.form.querySelector("[data-form-says]");
    if (line) line.textContent = line.textContent === text ? `${text}\u00a0` : text;
  }

  /** What rules say of the record as a whole. */
  tell() {
    const place = this.form.querySelector("[data-live-rules]");
    const found = this.part.messages.filter((rule) => !this.part.placeFor(rule));
    const texts = found.map((rule) => this.part.textOf(rule));
    const told = found.map((rule, at) => `${rule.error} ${texts[at]}`).join(" ");
    if (!place || (place.dataset.told ?? "") === told) return;
    place.dataset.told = told;
    place.replaceChildren(...found.map((rule, at) => messageLine(this.form, rule.level, texts[at])));
    place.hidden = !found.length;
    if (found.length) this.say(texts.join(" "));
  }
}

const start = () => document.querySelectorAll("form[data-live]").forEach(liven);
start();
for (const kind of ["htmx:after:swap", "fs:form"]) document.addEventListener(kind, start);
