// What the controls of a field hold -> the value that formulas reckon with, and back. The server reads the same way
// (`from_form` of field types); what it cannot read is blank here, and refused there.
// A field is told by { kind, widget, cell }: what its value is, what edits it, what shows it.
const NUMBER = /^-?\d{1,40}(?:\.\d{1,40})?$/;
const GROUPED = /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const YES = ["true", "1", "on", "yes", "y", "是"];
const NO = ["false", "0", "off", "no", "n", "否"];
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const LOCAL = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/;
const AMOUNT = "(\\d{1,9}(?:\\.\\d{1,6})?) ?";
const UNITS = ["days?|d|天|日", "hours?|hrs?|h|小时|时", "minutes?|mins?|m|分钟|分", "seconds?|secs?|s|秒钟?"];
const SPAN = new RegExp(`^${UNITS.map((unit) => `(?:${AMOUNT}(?:${unit})\\.?)?`).join("[ ,]*")}$`, "i");
const SECONDS = [86_400, 3600, 60, 1];
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BARE = /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+(?:[/?#].*)?$/u;

const last = (sent) => (sent.length ? sent[sent.length - 1].trim() : "");

/** The value as formula.js takes it: numbers as texts, dates and moments as ISO texts, null for blank. */
export function read(field, sent, zone = "UTC") {
  return (READERS[field.cell] ?? READERS[field.widget] ?? READERS[field.kind] ?? text)(sent, zone);
}

/** What the control of a field shows for a value; a list where it takes several. */
export function written(field, value, zone = "UTC") {
  if (value === null || value === undefined) return field.kind === "choices" ? [] : "";
  if (field.cell === "duration") return spanText(value);
  if (field.kind === "datetime") return localText(value, zone);
  if (field.kind === "time") return value.endsWith(":00") ? value.slice(0, 5) : value;
  return Array.isArray(value) ? value : String(value);
}

function number(sent) {
  const typed = last(sent);
  const minus = typed.startsWith("\u2212") ? "-" : "";
  const text = minus + typed.normalize("NFKC").replace(/^[ \t\u2212¥$€£%]+|[ \t\u2212¥$€£%]+$/g, "");
  return plain(GROUPED.test(text) ? text.replaceAll(",", "") : text);
}

/** "012.50" -> "12.5" */
function plain(text) {
  if (!NUMBER.test(text)) return null;
  const [front, after = ""] = text.replace("-", "").split(".");
  const digits = front.replace(/^0+(?=\d)/, "");
  const rest = after.replace(/0+$/, "");
  const found = rest ? `${digits}.${rest}` : digits;
  return text.startsWith("-") && found !== "0" ? `-${found}` : found;
}

function boolean(sent) {
  const text = sent.length ? last(sent).toLowerCase() : "false";
  return YES.includes(text) ? true : NO.includes(text) ? false : null;
}

function date(sent) {
  const text = last(sent);
  const parts = DAY.exec(text);
  if (!parts || Number(parts[1]) < 1000) return null;
  const day = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text ? null : text;
}

function time(sent) {
  const parts = CLOCK.exec(last(sent));
  return parts && `${parts[1]}:${parts[2]}:${parts[3] ?? "00"}`;
}

/** What was stored may go before what is shown: a time that occurs twice a year is not told by the clock alone. */
function datetime(sent, zone) {
  const text = last(sent);
  const kept = sent.slice(0, -1).find((earlier) => /Z$/.test(earlier) && localText(earlier, zone) === text);
  if (kept) return kept;
  const parts = LOCAL.exec(text);
  if (!parts || date([parts[1]]) === null || Number(parts[2]) > 23) return null;
  const clock = `${parts[2]}:${parts[3]}:${parts[4] ?? "00"}.${(parts[5] ?? "").padEnd(3, "0")}`;
  const local = Date.parse(`${parts[1]}T${clock}Z`);
  // Of a time that occurs twice the first; one that the clocks skip is read with the offset before.
  const [before, after] = [-86_400_000, 86_400_000].map((step) => offset(local + step, zone));
  const found = [local - before, local - after].filter((moment) => wallClock(moment, zone) === local);
  return new Date(found.length ? Math.min(...found) : local - before).toISOString();
}

const offset = (moment, zone) => wallClock(moment, zone) - moment;

/** The local time of a moment as if it were one of UTC. */
function wallClock(moment, zone) {
  const parts = Object.fromEntries(clockOf(zone).formatToParts(moment).map((part) => [part.type, Number(part.value)]));
  const millisecond = ((moment % 1000) + 1000) % 1000;
  const day = new Date(0);
  day.setUTCFullYear(parts.year, parts.month - 1, parts.day);
  return day.setUTCHours(parts.hour, parts.minute, parts.second, millisecond);
}

const clocks = new Map();
function clockOf(zone) {
  if (!clocks.has(zone)) {
    const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    clocks.set(zone, new Intl.DateTimeFormat("en-US", { ...digits, hourCycle: "h23", calendar: "gregory", timeZone: zone }));
  }
  return clocks.get(zone);
}

/** What an input of type datetime-local holds. */
export function localText(moment, zone) {
  const text = new Date(wallClock(Date.parse(moment), zone)).toISOString().slice(0, -1);
  return text.replace(/(:00)?\.000$/, "");
}

function span(sent) {
  const typed = last(sent).normalize("NFKC");
  const clock = /^(\d{1,7}):([0-5]\d)(?::([0-5]\d))?$/.exec(typed);
  if (clock) return String(Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0));
  const parts = typed && SPAN.exec(typed);
  if (!parts) return null;
  const total = SECONDS.reduce((sum, unit, at) => sum + Number(parts[at + 1] ?? 0) * unit, 0);
  return Number.isInteger(total) ? String(total) : null;
}

function spanText(value) {
  const seconds = Number(value);
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor((seconds % 3600) / 60), "m"], [seconds % 60, "s"]];
  return parts.filter(([count]) => count).map(([count, unit]) => count + unit).join(" ") || "0m";
}

function color(sent) {
  const parts = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(last(sent).normalize("NFKC"));
  if (!parts) return null;
  const digits = parts[1].length === 6 ? parts[1] : parts[1].replace(/./g, "$&$&");
  return `#${digits.toLowerCase()}`;
}

function reference(sent) {
  const id = last(sent).toLowerCase();
  return ID.test(id) ? id : null;
}

const text = (sent) => last(sent) || null;
const address = (sent) => (BARE.test(last(sent)) ? `https://${last(sent)}` : text(sent));
const lines = (sent) => text(sent)?.replaceAll("\r\n", "\n") ?? null;
const indented = (sent) => (text(sent) ? lines([`.${sent[sent.length - 1]}`]).slice(1).replace(/^(?:[ \t]*\n)+/, "") : null);
const several = (sent) => {
  const chosen = [...new Set(sent.map((one) => one.trim()).filter(Boolean))];
  return chosen.length ? chosen : null;
};

const references = (sent) => several(sent.flatMap((one) => one.toLowerCase().split(/[;,，；\s]+/)));
const anyReference = (sent) => text(sent)?.replace(/\/.*/, (id) => id.toLowerCase()) ?? null;

const READERS = {
  duration: span, color, url: address, textarea: lines, markdown: lines, code: indented,
  references, any_reference: anyReference, number, boolean, date, time, datetime, reference, choices: several,
};
