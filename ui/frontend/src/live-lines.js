// The lines of a live form: each is a record of its own, and only what may have changed is worked out anew.
import { LivePart } from "./live-part.js";
import { recordsOf } from "./record.js";
import { show } from "./showing.js";

export class LiveLines {
  /** `data`: values and stored values of the lines that the server wrote, in their order. */
  constructor(live, element, name, plan, data) {
    Object.assign(this, { live, element, name, plan, rows: [], owner: "" });
    this.records = recordsOf(live, plan, `${name}/`);
    this.parts = new WeakMap();
    this.totals = [...element.querySelectorAll("[data-total]")];
    this.shown().forEach((row) => this.add(row, data[row.dataset.line] ?? null));
    this.collect();
  }

  shown() {
    return [...this.element.querySelectorAll("tbody.line:not(.is-gone)")];
  }

  partOf(row) {
    const part = this.parts.get(row) ?? this.add(row, null);
    if (!this.rows.includes(part)) this.collect();
    return part;
  }

  add(row, data) {
    const record = this.records.make(data?.values ?? {}, data?.prior ?? null, this.live.record);
    const part = new LivePart(this.live, row, this.plan, record, `${this.name}/`, `${this.name}.${row.dataset.line}.`);
    this.parts.set(row, part);
    part.begin(!data);
    part.isFresh = true;
    return part;
  }

  /** The lines that count, in their order: a new one does once somebody has put something in. */
  collect() {
    const rows = this.shown();
    this.drawn = rows.map((row) => this.parts.get(row) ?? this.add(row, null));
    this.rows = this.drawn.filter((part) => !part.element.hasAttribute("data-fresh"));
    this.live.record.$.set(this.name, this.rows.map((part) => part.record));
  }

  settle() {
    const owner = JSON.stringify(this.records.read.map((path) => this.live.record[path]));
    const isOther = owner !== this.owner;
    this.owner = owner;
    this.due = this.drawn.filter((part) => part.isFresh || isOther || part.state.isChanged);
    for (const part of this.due) {
      part.state.forget();
      part.settle();
    }
  }

  draw() {
    for (const part of this.due) {
      part.draw();
      part.isFresh = part.state.isChanged = false;
    }
    for (const cell of this.totals) this.drawTotal(cell);
  }

  drawTotal(cell) {
    const { fs } = this.live;
    const name = cell.dataset.total;
    const values = this.rows.map((part) => part.record[name] ?? part.state.values[name] ?? null).filter((value) => value !== null);
    const total = values.length ? fs.plain(values.reduce((sum, value) => sum + fs.number(value), 0n)) : null;
    const text = show(this.plan.worked[name] ?? this.plan.fields[name], total, this.live.where);
    if (cell.textContent !== text) cell.textContent = text;
  }
}
