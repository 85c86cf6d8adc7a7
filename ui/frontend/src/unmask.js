// A masked value on a record's page: asked for once, shown for a minute, then masked again.
import { csrf, toast } from "./parts.js";

const SHOWN_MS = 60_000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-unmask]");
  if (!button) return;
  const place = button.closest("dt, dd").parentElement.querySelector("dd");
  const shown = place.querySelector("[data-shown]");
  if (shown) return mask(place, button);
  button.disabled = true;
  const body = new URLSearchParams({ csrf: csrf(), field: button.dataset.unmask });
  try {
    const answer = await fetch(button.dataset.at, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(String(answer.status));
    reveal(place, button, (await answer.json()).text);
  } catch {
    toast(button.dataset.refused);
  } finally {
    button.disabled = false;
  }
});

function reveal(place, button, text) {
  const value = document.createElement("span");
  value.dataset.shown = "";
  value.textContent = text;
  place.querySelector(".masked").hidden = true;
  place.prepend(value);
  button.setAttribute("aria-pressed", "true");
  setTimeout(() => value.isConnected && mask(place, button), SHOWN_MS);
}

function mask(place, button) {
  place.querySelector("[data-shown]")?.remove();
  place.querySelector(".masked").hidden = false;
  button.setAttribute("aria-pressed", "false");
}
