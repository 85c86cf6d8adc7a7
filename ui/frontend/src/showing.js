// Values of formulas as a person reads them, digit for digit as the server's pages do (ui/formats.py, ui/cells.py).
// A field is told by { cell, scale, before, after, choices }; `words` has what is said in the person's language.

/** The text of a value; "" for blank. `where` is { language, zone, words }. */
export function show(field, value, where) {
  if (value === null || value === undefined) return "";
  const shower = SHOWERS[field.cell];
  return shower ? shower(value, field, where) : Array.isArray(value) ? value.join(", ") : String(value);
}

/** Grouped, with `scale` digits after the point. */
export function grouped(value, scale, language) {
  const digits = { minimumFractionDigits: scale, maximumFractionDigits: scale, roundingMode: "halfEven" };
  return formatter("NumberFormat", language, digits).format(value);
}

const isWhole = (value) => !value.includes(".");

function number(value, field, where) {
  return grouped(value, isWhole(value) ? 0 : field.scale ?? 0, where.language);
}

function currency(value, field, where) {
  const text = grouped(value.replace("-", ""), isWhole(value) ? 0 : field.scale ?? 2, where.language);
  return `${value.startsWith("-") ? "-" : ""}${field.before ?? ""}${text}${field.after ?? ""}`;
}

function percent(value, field, where) {
  return `${grouped(value, (value.split(".")[1] ?? "").length, where.language)}%`;
}

function duration(value, field, where) {
  const seconds = Number(value);
  const { h, m, s } = where.words;
  const parts = [];
  if (seconds >= 3600) parts.push(h.replace("{n}", grouped(String(Math.floor(seconds / 3600)), 0, "en")));
  if (seconds % 3600 >= 60) parts.push(m.replace("{n}", Math.floor((seconds % 3600) / 60)));
  if (seconds % 60) parts.push(s.replace("{n}", seconds % 60));
  const found = parts.length ? parts : [m.replace("{n}", "0")];
  return found.join(/[\u2e80-\uffff]$/.test(found[0]) ? "" : " "); // Chinese has no spaces
}

function date(value, field, where) {
  return formatter("DateTimeFormat", where.language, { dateStyle: "medium", timeZone: "UTC", calendar: "gregory" }).format(day(value));
}

function clock(at, language, zone) {
  const text = formatter("DateTimeFormat", language, { timeStyle: "short", timeZone: zone }).format(at);
  return text.replace(/[\u202f ]/g, "\u00a0");
}

function datetime(value, field, where) {
  const at = new Date(value);
  const long = formatter("DateTimeFormat", where.language, { dateStyle: "medium", timeZone: where.zone, calendar: "gregory" });
  return `${long.format(at)} ${clock(at, where.language, where.zone)}`;
}

function time(value, field, where) {
  return clock(new Date(`1970-01-01T${value}Z`), where.language, "UTC");
}

/** A year below 100 would be taken for one of the twentieth century. */
function day(value) {
  const found = new Date(0);
  found.setUTCFullYear(...value.split("-").map((part, at) => Number(part) - (at === 1 ? 1 : 0)));
  return found;
}

function choice(value, field) {
  return (Array.isArray(value) ? value : [value]).map((one) => field.labels?.[one] ?? one).join(", ");
}

const formatters = new Map();
function formatter(kind, language, options) {
  const key = `${kind} ${language} ${JSON.stringify(options)}`;
  if (!formatters.has(key)) formatters.set(key, new Intl[kind](language, options));
  return formatters.get(key);
}

const SHOWERS = {
  number, integer: number, decimal: number, currency, percent, duration, date, datetime, time, choice, choices: choice,
  boolean: (value, field, where) => where.words[value ? "yes" : "no"],
};
