// Cells of a spreadsheet, pasted into a grid of lines from the cell that holds the cursor.

/** Rows of cells; a cell in quotes may hold line breaks and tabs. */
export function cellsOf(text) {
  const rows = [[""]];
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    const row = rows[rows.length - 1];
    if (isQuoted) {
      if (letter === '"' && text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
      else if (letter === '"') isQuoted = false;
      else row[row.length - 1] += letter;
    } else if (letter === '"' && row[row.length - 1] === "") isQuoted = true;
    else if (letter === "\t") row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  if (rows.length > 1 && rows[rows.length - 1].join("") === "") rows.pop();
  return rows;
}

/** "2026/3/1", "2026年3月1日" and "1.3.2026" as an input of dates takes them. */
export function dayOf(text) {
  const found = /^(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?$/.exec(text.trim());
  const other = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text.trim());
  const [year, month, day] = found ? found.slice(1) : other ? [other[3], other[2], other[1]] : [];
  return year ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : "";
}

const YES = /^(true|yes|y|1|x|✓|是|对)$/i;
const change = (control) => {
  for (const kind of ["input", "change"]) control.dispatchEvent(new CustomEvent(kind, { bubbles: true, detail: { byPerson: true } }));
};

export async function paste(grid, event, { addLine, rowsOf, tell, touch, say }) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const cell = event.target.closest("tbody.line td[data-field]");
  if (!cell || event.target.matches("textarea") || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
  event.preventDefault();
  const rows = cellsOf(text);
  const place = [...cell.parentElement.children].indexOf(cell);
  const titles = new Map();
  let row = cell.closest("tbody.line");
  const found = [];
  for (const [at, values] of rows.entries()) {
    if (at) row = rowsOf(grid)[rowsOf(grid).indexOf(row) + 1] ?? addLine(grid, row);
    // Cells that only show something take none of the values.
    const cells = [...row.querySelector(".line-row").children].slice(place).filter((one) => one.querySelector("[name]"));
    found.push(...values.slice(0, cells.length).map((value, index) => [cells[index], value]));
  }
  // References first: what they bring along gives way to what was pasted.
  const isReference = ([one]) => one.querySelector("fs-lookup");
  await Promise.all(found.filter(isReference).map(([one, value]) => find(grid, one.querySelector("fs-lookup"), value.trim(), titles, say)));
  for (const [one, value] of found) if (!isReference([one])) fill(one, value);
  tell(grid);
  touch(grid);
  say(grid, "Pasted", rows.length);
}

function fill(cell, value) {
  const control = cell.querySelector("input:not([type='hidden']), select, textarea");
  if (!control || control.disabled) return;
  if (control.tagName === "SELECT") {
    const wanted = value.trim().toLowerCase();
    const option = [...control.options].find((one) => one.value.toLowerCase() === wanted || one.text.trim().toLowerCase() === wanted);
    if (!option) return;
    control.value = option.value;
  } else if (control.type === "checkbox") control.checked = YES.test(value.trim());
  else if (control.type === "date") control.value = dayOf(value);
  else control.value = value.replace(/\s*\n\s*/g, " ").trim();
  change(control);
}

/** A record by its title: each title is asked for once. */
async function find(grid, lookup, title, titles, say) {
  if (!title) return;
  if (!titles.has(title)) titles.set(title, lookup.matching(title));
  const found = await titles.get(title);
  if (found) lookup.take(found.id, found.title);
  else say(grid, "Unknown", title);
}
