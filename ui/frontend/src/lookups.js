// Lookups of several records, as pills before the search; and of one record of one of several objects.
import { Lookup } from "./lookup.js";

class Several extends Lookup {
  connectedCallback() {
    super.connectedCallback();
    this.pills = this.querySelector(".combo-pills");
    this.pills.addEventListener("click", (event) => {
      const pill = event.target.closest("button")?.parentElement;
      if (pill) this.drop(pill);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !this.input.value && this.pills.lastElementChild) this.drop(this.pills.lastElementChild);
    });
  }

  get chosen() {
    return [...this.pills.querySelectorAll("input")].map((input) => input.value);
  }

  show(found) {
    const { chosen } = this;
    super.show(found.filter((one) => !chosen.includes(one.id)));
  }

  take(id, title) {
    if (id && !this.chosen.includes(id)) this.pills.append(this.pill(id, title));
    this.input.value = this.known = "";
    this.close();
    this.tell();
  }

  pill(id, title) {
    const pill = this.querySelector("template").content.firstElementChild.cloneNode(true);
    pill.querySelector("input").value = id;
    pill.querySelector("span").textContent = title;
    const button = pill.querySelector("button");
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace("{title}", title));
    return pill;
  }

  drop(pill) {
    pill.remove();
    this.input.focus();
    this.tell();
  }

  tell() {
    this.value.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: { byPerson: true } }));
  }
}

class AnyOf extends Lookup {
  connectedCallback() {
    super.connectedCallback();
    this.kind = this.querySelector("select");
    this.kind.addEventListener("change", (event) => {
      event.stopPropagation(); // it names no field
      this.dataset.source = `/o/${this.kind.value}/options`;
      this.take("", "");
      this.input.focus();
    });
  }

  put(id, title) {
    super.put(id && !id.includes("/") ? `${this.kind.value}/${id}` : id, title);
  }
}

customElements.define("fs-lookups", Several);
customElements.define("fs-any", AnyOf);
