// A field that refers to a record: type to search. The WAI-ARIA combobox pattern with a list.
import { sentBy } from "./controls.js";
import { say, toast } from "./parts.js";
import { makeRecord } from "./pick.js";

export class Lookup extends HTMLElement {
  connectedCallback() {
    this.value = this.querySelector("input[type='hidden']");
    this.input = this.querySelector("[role='combobox']");
    this.list = this.querySelector("[role='listbox']");
    this.empty = this.querySelector(".combo-clear");
    this.known = this.input.value;
    this.asked = 0;
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("click", () => this.isOpen || this.search(""));
    this.input.addEventListener("blur", () => this.settle());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role='option']")));
    this.empty.addEventListener("click", () => {
      this.take("", "");
      this.input.focus();
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  get options() {
    return [...this.list.querySelectorAll("[role='option']")];
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(this.input.value), 160);
  }

  async search(text) {
    const turn = ++this.asked;
    const found = await this.ask(text);
    if (found && turn === this.asked && document.activeElement === this.input) this.show(found);
  }

  /** Records whose title or other search fields hold the text; null when there is no answer. */
  async ask(text) {
    const asked = new URLSearchParams([["q", text], ...this.context()]);
    const response = await fetch(`${this.dataset.source}?${asked}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!response?.ok) toast(say("broken"));
    return response?.ok ? response.json() : null;
  }

  /** What the filter of the reference reads of the form: `data-reads` names the fields. */
  context() {
    if (!this.dataset.of) return [];
    const form = this.closest("form");
    const row = this.closest("tbody.line");
    const before = row ? `${row.closest("[data-lines]").dataset.lines}.${row.dataset.line}.` : "";
    const sent = this.dataset.reads.split(" ").filter(Boolean).flatMap((name) => {
      const controls = form.querySelectorAll(`[name="${CSS.escape(before + name)}"]`);
      return sentBy(controls).map((value) => [`r.${name}`, value]);
    });
    const id = row ? row.querySelector(`[name="${CSS.escape(before)}id"]`)?.value : form.dataset.record;
    return [["of", this.dataset.of], ...sent, ...(id ? [["r.id", id]] : [])];
  }

  /** The one record that is called so, or null. */
  async matching(title) {
    const found = (await this.ask(title)) ?? [];
    const same = found.filter((one) => one.title.trim().toLowerCase() === title.toLowerCase());
    return same.length === 1 ? same[0] : found.length === 1 && !same.length ? found[0] : null;
  }

  show(found) {
    this.list.replaceChildren(...found.map((one, place) => {
      const option = document.createElement("li");
      option.id = `${this.input.id}-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.id = one.id;
      option.dataset.title = one.title;
      option.append(Object.assign(document.createElement("span"), { className: "cut", textContent: one.title }));
      if (one.subtitle) option.append(Object.assign(document.createElement("small"), { className: "cut", textContent: one.subtitle }));
      return option;
    }));
    if (!found.length) {
      const none = Object.assign(document.createElement("li"), { className: "combo-none", textContent: say("none") });
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      this.list.append(none);
    }
    if (this.dataset.new) this.list.append(this.newOption(found.length));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(found.length && this.input.value ? 0 : -1);
  }

  /** The last option makes a record. */
  newOption(place) {
    const option = Object.assign(document.createElement("li"), { className: "combo-new", id: `${this.input.id}-${place}`, textContent: `+ ${this.dataset.new}` });
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.id = "new";
    return option;
  }

  async make() {
    const text = this.input.value === this.known ? "" : this.input.value.trim();
    this.close();
    const made = await makeRecord(this.dataset.source, text);
    if (made) this.take(made.id, made.title);
    this.input.focus();
  }

  mark(place) {
    const options = this.options;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    if (options[place]) {
      this.input.setAttribute("aria-activedescendant", options[place].id);
      options[place].scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  key(event) {
    const options = this.options.filter((option) => option.dataset.id);
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.isOpen) this.search("");
      else if (options.length) this.mark((at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length);
    } else if (event.key === "Enter" && this.isOpen) {
      event.preventDefault();
      if (at >= 0) this.choose(options[at]);
    } else if (event.key === "Tab" && this.isOpen && at >= 0 && this.input.value !== this.known) {
      this.choose(options[at]);
    } else if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }

  choose(option) {
    if (!option?.dataset.id) return;
    if (option.matches(".combo-new")) this.make();
    else this.take(option.dataset.id, option.dataset.title);
  }

  /** Hold a record that nobody has chosen here. */
  put(id, title) {
    this.value.value = id;
    this.input.value = this.known = title;
    this.empty.hidden = !id;
  }

  take(id, title) {
    this.put(id, title);
    this.close();
    this.value.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: { byPerson: true } }));
  }

  /** On leaving: an emptied field is empty, half a word is taken back. */
  settle() {
    this.asked += 1;
    clearTimeout(this.timer);
    this.close();
    if (!this.input.value.trim() && this.value.value) this.take("", "");
    else this.input.value = this.known;
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("fs-lookup", Lookup);
