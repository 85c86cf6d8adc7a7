// The browser's picker of colours beside the text that is sent: unlike it, the text can be blank.
class Color extends HTMLElement {
  connectedCallback() {
    const [text, pick] = this.querySelectorAll("input");
    pick.hidden = false;
    pick.addEventListener("input", () => {
      text.value = pick.value;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const follow = () => {
      if (/^#[0-9a-f]{6}$/i.test(text.value.trim())) pick.value = text.value.trim();
    };
    follow();
    text.addEventListener("input", follow);
  }
}

customElements.define("fs-color", Color);
