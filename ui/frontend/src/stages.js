// Why a stage cannot be chosen, or what it will ask for: told beside it while it is pointed at or holds the focus.
let tip = null;

function show(place) {
  hide();
  if (!place.dataset.why) return;
  tip = Object.assign(document.createElement("div"), { className: "stage-tip", textContent: place.dataset.why });
  tip.setAttribute("aria-hidden", "true"); // a screen reader has it in the button itself
  document.body.append(tip);
  const box = place.getBoundingClientRect();
  const left = box.left + (box.width - tip.offsetWidth) / 2;
  tip.style.left = `${Math.min(Math.max(left, 12), innerWidth - tip.offsetWidth - 12)}px`;
  tip.style.top = `${box.bottom + 8}px`;
}

function hide() {
  tip?.remove();
  tip = null;
}

for (const place of document.querySelectorAll(".path-row [data-why]")) {
  place.removeAttribute("title"); // it would come a second later, over the other
  place.addEventListener("mouseenter", () => show(place));
  place.addEventListener("focus", () => place.matches(":focus-visible") && show(place));
  place.addEventListener("click", () => place.matches("[aria-disabled]") && !place.closest(".menu-sheet") && show(place));
  place.addEventListener("mouseleave", hide);
  place.addEventListener("blur", hide);
}
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("scroll", hide, { passive: true, capture: true });
