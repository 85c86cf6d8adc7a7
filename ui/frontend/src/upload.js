// A field that holds files: what is chosen or dropped is sent at once, and the form then holds what the server answered.
import { csrf, say, toast } from "./parts.js";

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

/** As the server says it. */
export function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MB`;
}

class Upload extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type='file']");
    this.list = this.querySelector(".upload-list");
    this.zone = this.querySelector(".upload-drop");
    this.wrong = this.querySelector("[data-upload-wrong]");
    this.status = this.querySelector("[data-upload-status]");
    this.name = this.querySelector("input[type='hidden']").name; // of a new line, only now
    this.pending = 0;
    this.input.addEventListener("change", (event) => {
      event.stopPropagation(); // what was chosen is no change yet
      this.take(this.input.files);
      this.input.value = "";
    });
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-upload-remove]");
      if (button) this.takeOut(button.closest("li"));
    });
    for (const kind of ["dragenter", "dragover"]) {
      this.zone.addEventListener(kind, (event) => {
        if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
        event.preventDefault();
        this.zone.classList.add("is-over");
      });
    }
    this.zone.addEventListener("dragleave", () => this.zone.classList.remove("is-over"));
    this.zone.addEventListener("drop", (event) => {
      event.preventDefault();
      this.zone.classList.remove("is-over");
      this.take(event.dataTransfer.files);
    });
  }

  get most() {
    return Number(this.dataset.maxFiles) || 1;
  }

  get count() {
    return this.list.children.length;
  }

  take(files) {
    this.complain("");
    const single = this.most === 1;
    const chosen = [...files].slice(0, single ? 1 : undefined);
    const room = single ? 1 : this.most - this.count;
    if (chosen.length > room) this.complain(filled(this.dataset.sayMany, { max: this.most }));
    for (const file of chosen.slice(0, Math.max(room, 0))) {
      const problem = this.problem(file);
      if (problem) this.complain(problem);
      else this.send(file, single);
    }
  }

  /** What is certain before it is sent; the server looks again. */
  problem(file) {
    const name = file.name;
    if (file.size > Number(this.dataset.maxBytes)) {
      return filled(this.dataset.sayLarge, { name, size: sizeText(file.size), max: this.dataset.maxSize });
    }
    const wanted = this.dataset.accept.toLowerCase().split(",").filter(Boolean);
    const fits = (one) => one.startsWith(".")
      ? name.toLowerCase().endsWith(one)
      : one.endsWith("/*") ? file.type.startsWith(one.slice(0, -1)) : file.type === one;
    // A browser may not know a kind: then it is the server's to say.
    if (wanted.length && file.type && !wanted.some(fits)) return filled(this.dataset.sayKind, { name });
    return "";
  }

  send(file, replaces) {
    const line = this.line(file);
    const bar = line.querySelector("progress");
    const request = new XMLHttpRequest();
    request.open("POST", `${this.dataset.source}&name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRF-Token", this.closest("form")?.elements._csrf?.value || csrf());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("loadend", () => {
      this.pending -= 1;
      const answer = read(request);
      if (!line.isConnected) return; // taken back meanwhile
      if (request.status === 201) {
        for (const other of replaces ? [...this.list.children] : []) if (other !== line) other.remove();
        this.show(line, answer);
        this.changed(filled(this.dataset.sayAdded, { name: answer.name }));
      } else {
        line.remove();
        this.complain(answer?.error || say("broken"));
      }
    });
    line.abort = () => request.abort();
    this.pending += 1;
    request.send(file);
  }

  /** A file on its way. */
  line(file) {
    const line = this.querySelector("[data-upload-one]").content.firstElementChild.cloneNode(true);
    line.querySelector("input").disabled = true;
    line.querySelector("[data-upload-name]").replaceWith(Object.assign(document.createElement("span"), { className: "cut", textContent: file.name }));
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    line.querySelector("[data-upload-size]").replaceWith(bar);
    line.querySelector("[data-upload-remove]").setAttribute("aria-label", filled(this.dataset.sayRemove, { name: file.name }));
    this.list.append(line);
    return line;
  }

  show(line, file) {
    const made = this.querySelector("[data-upload-one]").content.firstElementChild.cloneNode(true);
    Object.assign(made.querySelector("input"), { name: this.name, value: file.held });
    const name = made.querySelector("[data-upload-name]");
    name.textContent = file.name;
    name.href = file.href;
    made.querySelector("[data-upload-size]").textContent = file.size;
    made.querySelector("[data-upload-remove]").setAttribute("aria-label", filled(this.dataset.sayRemove, { name: file.name }));
    if (file.is_image) {
      const mark = this.querySelector("[data-upload-image]").content.firstElementChild.cloneNode(true);
      mark.querySelector("img").src = file.href;
      made.querySelector(".upload-mark").replaceWith(mark);
    } else {
      const use = made.querySelector(".upload-mark use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${file.icon}`));
    }
    const hasFocus = line.contains(document.activeElement);
    line.replaceWith(made);
    if (hasFocus) made.querySelector("[data-upload-remove]").focus(); // whoever was about to take it back still is
  }

  takeOut(line) {
    const name = line.querySelector(".cut").textContent;
    line.abort?.();
    line.remove();
    this.changed(filled(this.dataset.sayRemoved, { name }));
    this.input.focus();
  }

  changed(text) {
    this.status.textContent = text;
    this.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: { byPerson: true } }));
  }

  complain(text) {
    this.wrong.textContent = text;
    this.wrong.hidden = !text;
  }
}

function read(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

// Before the form counts as sent: what is still on its way would be missing from it.
document.addEventListener("submit", (event) => {
  const busy = [...event.target.querySelectorAll("fs-upload")].find((field) => field.pending > 0);
  if (!busy) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  toast(busy.dataset.sayWait);
}, true);

// A file that misses the field would else take the page's place.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (document.querySelector("fs-upload") && [...(event.dataTransfer?.types ?? [])].includes("Files")) event.preventDefault();
  });
}

customElements.define("fs-upload", Upload);
