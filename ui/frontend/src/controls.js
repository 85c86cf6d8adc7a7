// Between the controls of a form and values: each kind of widget is read and written in its way.
import { read, written } from "./reading.js";

/** What the controls of one field would send. */
export function sentBy(controls) {
  const sent = [];
  for (const control of controls) {
    if (/^(checkbox|radio)$/.test(control.type) && !control.checked) continue;
    if (control.type === "select-multiple") sent.push(...[...control.selectedOptions].map((option) => option.value));
    else sent.push(control.value);
  }
  return sent;
}

export const readControls = (plan, controls, zone) => read(plan, sentBy(controls), zone);

/** Show a value. `title` names the record of a reference. */
export function writeControls(plan, controls, value, zone, title = "") {
  const text = written(plan, value, zone);
  for (const control of controls) {
    const lookup = control.closest("fs-lookup");
    if (lookup) lookup.put?.(value ?? "", title);
    else if (control.type === "checkbox") control.checked = Array.isArray(text) ? text.includes(control.value) : control.value === text;
    else if (control.type === "radio") control.checked = control.value === text;
    else if (control.type === "hidden" && controls.length > 1) continue; // what stands for "nothing chosen", or was stored
    else if (control.tagName === "SELECT") choose(control, text);
    else control.value = Array.isArray(text) ? text.join(";") : text;
    control.closest("fs-rich, fs-color")?.refresh?.();
  }
}

function choose(select, text) {
  const wanted = Array.isArray(text) ? text : [text];
  for (const option of select.options) option.selected = wanted.includes(option.value);
  if (!select.selectedOptions.length) select.selectedIndex = -1;
}

/** The title of a record that a formula named, for its lookup. */
export async function lookUp(object, id, controls) {
  const response = await fetch(`/o/${object}/options?id=${encodeURIComponent(id)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const [found] = response?.ok ? await response.json() : [];
  for (const control of controls) {
    if (control.value === id) control.closest("fs-lookup")?.put?.(id, found?.title ?? "");
  }
}

/** What is seen of the controls of a field. */
export function inputsOf(controls) {
  const seen = controls.map((control) => (control.type === "hidden" ? control.parentElement.querySelector("[role='combobox']") : control));
  return [...new Set(seen.filter(Boolean))];
}
