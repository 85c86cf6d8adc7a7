// A small editor of formatted text over a textarea. The server cleans what it sends.
import { say } from "./parts.js";

class Rich extends HTMLElement {
  connectedCallback() {
    const source = this.querySelector("textarea");
    const tools = this.querySelector("[role='toolbar']");
    const area = document.createElement("div");
    area.className = "rich-area rich";
    area.contentEditable = "true";
    area.setAttribute("role", "textbox");
    area.setAttribute("aria-multiline", "true");
    area.setAttribute("aria-labelledby", `${source.id}-label`);
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (source.hasAttribute(name)) area.setAttribute(name, source.getAttribute(name));
    }
    area.append(harmless(source.value));
    source.hidden = true;
    tools.hidden = false;
    source.after(area);
    const label = document.getElementById(`${source.id}-label`);
    label?.addEventListener("click", () => area.focus());
    area.addEventListener("input", () => {
      source.value = area.textContent.trim() ? area.innerHTML : "";
    });
    area.addEventListener("paste", (event) => {
      event.preventDefault();
      document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    });
    tools.addEventListener("pointerdown", (event) => event.preventDefault());
    const buttons = [...tools.querySelectorAll("button")];
    buttons[0].tabIndex = 0;
    tools.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length].focus();
    });
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      area.focus();
      const link = button.dataset.do === "createLink" ? window.prompt(say("link"), "https://") : null;
      if (button.dataset.do === "createLink" && !/^(https?:|mailto:|tel:)/i.test(link ?? "")) return;
      document.execCommand(button.dataset.do, false, link);
      this.press(buttons);
    });
    document.addEventListener("selectionchange", () => area.contains(document.activeElement) && this.press(buttons));
  }

  press(buttons) {
    for (const button of buttons) {
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(document.queryCommandState(button.dataset.do)));
    }
  }
}

/** The stored text is clean already; a document without a window runs nothing, should it not be. */
function harmless(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const bad of parsed.querySelectorAll("script, style, iframe, object, embed, form")) bad.remove();
  for (const element of parsed.body.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const isLink = name === "href" && /^(https?:|mailto:|tel:)/i.test(value);
      if (!isLink) element.removeAttribute(name);
    }
  }
  const content = document.createDocumentFragment();
  content.append(...parsed.body.childNodes);
  return content;
}

customElements.define("fs-rich", Rich);
