// Dependent choices: a field offers what goes with the field that it depends on, and with the record's type.

export function choicesOf(part) {
  const fields = Object.entries(part.plan.fields).filter(([name, plan]) => (plan.only || plan.types) && part.places.has(name));
  return new Choices(part, fields);
}

class Choices {
  constructor(part, fields) {
    this.part = part;
    this.fields = fields;
    this.options = new Map();
  }

  begin() {
    for (const [name] of this.fields) {
      const select = this.part.controls(name).find((control) => control.tagName === "SELECT");
      if (select) this.options.set(name, [...select.options]);
    }
    this.settle(false);
  }

  /** Until nothing more changes: emptying one field may change what the next one offers. */
  settle(isTold = true) {
    const emptied = [];
    for (let turn = 0; turn <= this.fields.length; turn += 1) {
      const now = this.fields.filter(([name, plan]) => this.offer(name, plan));
      if (!now.length) break;
      emptied.push(...now.map(([, plan]) => plan.label));
    }
    const { form } = this.part.live;
    if (isTold && emptied.length) this.part.live.say(form.dataset.sayEmptied.replace("{field}", emptied.join(", ")));
  }

  /** Whether a value goes with what governs it now; what stood there before may stay while that is as it was. */
  allowed(name, plan) {
    const { state, keys, live } = this.part;
    const typeOf = (values) => (keys ? null : values?.record_type ?? live.data.recordType) || null;
    const governing = plan.on ? [state.values[plan.on] ?? null].flat() : [];
    const subset = plan.types?.[typeOf(state.values)];
    const goes = (value) => (!plan.only?.[value] || plan.only[value].some((one) => governing.includes(one))) && (!subset || subset.includes(value));
    const { prior } = state;
    const isAsBefore = prior && same(governing, plan.on ? [prior[plan.on] ?? null].flat() : []) && typeOf(state.values) === typeOf(prior);
    return (value) => goes(value) || (isAsBefore && [prior[name]].flat().includes(value));
  }

  offer(name, plan) {
    const isAllowed = this.allowed(name, plan);
    const emptied = this.options.has(name) ? this.filterSelect(name, plan, isAllowed) : this.filterBoxes(name, isAllowed);
    if (emptied) this.part.read(name);
    return emptied;
  }

  filterSelect(name, plan, isAllowed) {
    const select = this.part.controls(name).find((control) => control.tagName === "SELECT");
    const chosen = select.value;
    const all = this.options.get(name);
    let shown = all.filter((option) => !option.value || isAllowed(option.value));
    const emptied = chosen !== "" && !isAllowed(chosen);
    if (!shown.some((option) => !option.value)) shown = emptied || !chosen ? [blank(), ...shown] : shown;
    if (shown.length !== select.options.length || shown.some((option, at) => option !== select.options[at])) {
      select.replaceChildren(...shown);
      select.value = emptied ? "" : chosen;
    }
    const first = shown.find((option) => !option.value);
    if (first && plan.on) {
      first.dataset.text ??= first.textContent;
      const waits = shown.length === 1;
      first.textContent = waits ? this.part.live.form.dataset.sayFirst.replace("{field}", plan.onLabel) : first.dataset.text;
    }
    return emptied;
  }

  filterBoxes(name, isAllowed) {
    let emptied = false;
    for (const box of this.part.controls(name)) {
      if (box.type !== "checkbox") continue;
      const off = !isAllowed(box.value);
      box.closest("label")?.classList.toggle("is-off", off);
      box.disabled = off;
      if (off && box.checked) {
        box.checked = false;
        emptied = true;
      }
    }
    return emptied;
  }
}

const blank = () => new Option("", "");
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
