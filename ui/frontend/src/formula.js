// What formulas reckon with in the browser: the same meaning as engine/formula/exact.py, value by value.
// Numbers are BigInts times 10^20, dates '2026-11-22', moments '2026-11-22T02:15:00.123Z', blank is null.
const PLACES = 20;
const UNIT = 10n ** 20n;
const WHOLE_MAX = 10_000_000;
const TEXT_MAX = 100_000;
const CHARACTERS_MAX = 2_000_000;
const PADDED_MAX = 10_000;
const REGEX_MAX = 2_000;
const POWER_LIMIT = 10n ** 50n;
const DAY_MS = 86_400_000;
const YEAR_1 = Date.UTC(2001, 0, 1) - 730_485 * DAY_MS; // 0001-01-01, a Monday
const SPACES = " \t\r\n\u00a0\u3000";

const abs = (number) => (number < 0n ? -number : number);
const sign = (number) => (number < 0n ? -1n : 1n);
const filled = (value) => (value === "" || value === undefined || (Array.isArray(value) && !value.length) ? null : value);

/** To the nearest whole number, halves away from zero. */
const divided = (one, by) => ((2n * abs(one) + abs(by)) / (2n * abs(by))) * sign(one) * sign(by);

/** A number of a record, as a text or a JavaScript number. */
export function number(value) {
  if (value === null || value === undefined || value === "") return null;
  const [, minus, before, after = "", power = "0"] = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(String(value));
  const shift = PLACES - after.length + Number(power);
  const digits = BigInt(before + after || "0");
  const found = shift >= 0 ? digits * 10n ** BigInt(shift) : divided(digits, 10n ** BigInt(-shift));
  return minus === "-" ? -found : found;
}

/** As short as it goes: "0.5", "100", "-3". */
export function plain(value) {
  const digits = abs(value).toString().padStart(PLACES + 1, "0");
  const after = digits.slice(-PLACES).replace(/0+$/, "");
  return (value < 0n ? "-" : "") + digits.slice(0, -PLACES) + (after ? `.${after}` : "");
}

/** A result as the outside knows it: numbers as texts. */
export const shown = (value) => (typeof value === "bigint" ? plain(value) : filled(value));
export const whole = (value) => BigInt(value) * UNIT;
export const text = (value) => (typeof value === "bigint" ? plain(value) : value);

export function count(value) {
  const found = value / UNIT; // towards zero
  return found > BigInt(WHOLE_MAX) ? WHOLE_MAX : found < BigInt(-WHOLE_MAX) ? -WHOLE_MAX : Number(found);
}

export function arithmetic(op, left, right) {
  const one = left ?? 0n;
  const other = right ?? 0n;
  if (op === "+") return one + other;
  if (op === "-") return one - other;
  if (op === "*") return divided(one * other, UNIT);
  if (other === 0n) return null;
  return op === "/" ? divided(one * UNIT, other) : one % other;
}

export function round(value, places) {
  if (places >= PLACES) return value;
  const unit = 10n ** BigInt(PLACES - places);
  return divided(value, unit) * unit;
}

export function floor(value) {
  const rest = value % UNIT;
  return value - rest - (rest < 0n ? UNIT : 0n);
}

export function extreme(values, wanted) {
  const there = values.filter((value) => value !== null);
  return there.reduce((found, value) => (found === null || order(value, found) * wanted > 0 ? value : found), null);
}

// Texts by code point: JavaScript's own order is by halves of them, and halves lie below U+E000 and what follows.
function order(one, other) {
  if (typeof one !== "string") return one < other ? -1 : one > other ? 1 : 0;
  const most = Math.min(one.length, other.length);
  let at = 0;
  while (at < most && one[at] === other[at]) at += 1;
  if (at === most) return one.length - other.length;
  const [left, right] = [one, other].map((text) => text.charCodeAt(at));
  const isHalf = (unit) => unit >= 0xd800 && unit < 0xe000;
  return isHalf(left) === isHalf(right) ? left - right : isHalf(left) ? 1 : -1;
}

export function compare(op, left, right) {
  if (op === "==" || op === "!=") return same(left, right) === (op === "==");
  if (left === null || right === null) return false;
  const found = order(left, right);
  return { "<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0 }[op];
}

function same(left, right) {
  return Array.isArray(left) && Array.isArray(right) ? JSON.stringify(left) === JSON.stringify(right) : left === right;
}

export const letters = (value) => [...value];
export const lower = (value) => value.replace(/[A-Z]+/g, (found) => found.toLowerCase());
export const cut = (value) => (value.length <= TEXT_MAX ? value : letters(value).slice(0, TEXT_MAX).join(""));
export const join = (left, right) => filled(cut(counting((left ?? "") + (right ?? ""))));
export const middle = (value, start, length) =>
  start < 1 ? "" : letters(value).slice(start - 1, start - 1 + Math.max(length, 0)).join("");
export const last = (value, length) => (length < 1 ? "" : letters(value).slice(-length).join(""));

export function find(value, part) {
  const at = value.indexOf(part);
  return at < 0 ? 0 : letters(value.slice(0, at)).length + 1;
}

export function substitute(value, old, other) {
  if (value === null) return null;
  const short = letters(other ?? "").slice(0, 100).join("");
  return old === null ? cut(value) : cut(cut(value).replaceAll(old, () => short));
}

export function trim(value) {
  let [start, end] = [0, value.length];
  while (start < end && SPACES.includes(value[start])) start += 1;
  while (end > start && SPACES.includes(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

export function value(written) {
  const found = /^ *([+-]?[0-9]{1,30}(?:\.[0-9]{1,20})?) *$/.exec(written);
  return found ? number(found[1]) : null;
}

export function padded(value, length, fill, isLeft) {
  const wanted = Math.max(0, Math.min(length, PADDED_MAX));
  const [own, other] = [letters(value), letters(fill)];
  if (own.length >= wanted) return own.slice(0, wanted).join("");
  const pad = Array.from({ length: wanted - own.length }, (_, at) => other[at % other.length]).join("");
  return isLeft ? pad + value : value + pad;
}

const patterns = new Map(); // by their text

/** A pattern's positions and what follows each, as engine/pattern.py writes them: bits, 32 of them in a number. */
function compiled(written) {
  if (patterns.has(written)) return patterns.get(written);
  const { start, accept, empty, follow, bounds, masks } = JSON.parse(written);
  const size = Math.max(1, Math.ceil(follow.length / 32));
  const words = (hex) =>
    Int32Array.from({ length: size }, (_, at) => parseInt(hex.slice(-8 * at - 8, hex.length - 8 * at) || "0", 16));
  const after = follow.map(words);
  const made = { start: words(start), accept: words(accept), empty, size, bounds, masks: masks.map(words) };
  patterns.set(written, { ...made, steps: byByte(after, size) });
  return patterns.get(written);
}

/** For each eight positions: what follows every combination of them. */
function byByte(follow, size) {
  return Array.from({ length: Math.ceil(follow.length / 8) }, (_, row) => {
    const table = new Int32Array(256 * size);
    for (let combination = 1; combination < 1 << Math.min(8, follow.length - 8 * row); combination += 1) {
      const lowest = combination & -combination;
      const next = follow[8 * row + 31 - Math.clz32(lowest)];
      for (let word = 0; word < size; word += 1)
        table[combination * size + word] = table[(combination ^ lowest) * size + word] | next[word];
    }
    return table;
  });
}

/** Whether a pattern takes the whole text. All ways are followed at once: no text takes long. */
export function matches(value, written) {
  const { start, accept, empty, size, bounds, masks, steps } = compiled(written);
  if (value === "") return empty;
  const all = letters(value);
  if (all.length > REGEX_MAX) return false;
  let [ways, state] = [start, start];
  for (const letter of all) {
    const mask = masks[place(bounds, letter.codePointAt(0))];
    state = ways.map((word, at) => word & mask[at]);
    if (state.every((word) => word === 0)) return false;
    ways = new Int32Array(size);
    for (let row = 0; row < steps.length; row += 1) {
      const byte = (state[row >> 2] >>> (8 * (row & 3))) & 255;
      if (byte) for (let word = 0; word < size; word += 1) ways[word] |= steps[row][byte * size + word];
    }
  }
  return state.some((word, at) => (word & accept[at]) !== 0);
}

/** Of the last bound that is not above the code. */
function place(bounds, code) {
  let [low, high] = [0, bounds.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (bounds[middle] <= code) low = middle;
    else high = middle;
  }
  return low;
}

/** Whole exponents, squaring; each product is rounded as `*` rounds. */
export function power(base, exponent) {
  let [rest, found, factor] = [Math.abs(exponent), UNIT, base];
  if (rest > 1000) return null;
  for (; rest; rest = Math.floor(rest / 2)) {
    if (abs(factor) >= POWER_LIMIT || abs(found) >= POWER_LIMIT) return null;
    if (rest % 2) found = divided(found * factor, UNIT);
    if (rest > 1) factor = divided(factor * factor, UNIT);
  }
  if (abs(found) >= POWER_LIMIT || (exponent < 0 && found === 0n)) return null;
  return exponent < 0 ? divided(UNIT * UNIT, found) : found;
}

export function squareRoot(value) {
  if (value <= 0n) return value < 0n ? null : 0n;
  const wanted = value * UNIT;
  let found = 1n << BigInt(Math.ceil(wanted.toString(2).length / 2)); // never less than the root
  for (;;) {
    const next = (found + wanted / found) / 2n;
    if (next >= found) break;
    found = next;
  }
  return wanted - found * found > found ? found + 1n : found;
}

export function choose(wanted, rest) {
  for (let at = 0; at + 1 < rest.length; at += 2) {
    if (wanted !== null && wanted === rest[at]) return rest[at + 1];
  }
  return rest.length % 2 ? rest[rest.length - 1] : null;
}

/** Days since 0001-01-01. */
export const dayNumber = (day) => (Date.parse(`${day.slice(0, 10)}T00:00:00Z`) - YEAR_1) / DAY_MS;
export const weekday = (day) => dayNumber(day) % 7;

function dayOf(days) {
  const moment = new Date(YEAR_1 + days * DAY_MS);
  const year = moment.getUTCFullYear();
  return year >= 1000 && year <= 9999 ? moment.toISOString().slice(0, 10) : null;
}

/** Of a date or a moment. */
export function daysLater(moment, days) {
  if (moment === null || days === null) return null;
  const day = dayOf(dayNumber(moment) + days);
  return day && day + moment.slice(10);
}

function inMonth(month, day) {
  const [year, rest] = [Math.floor(month / 12), ((month % 12) + 12) % 12];
  if (year < 1000 || year > 9999) return null;
  return dayOf(dayNumber(`${year}-${String(rest + 1).padStart(2, "0")}-01`) + Math.min(day, monthDays(year, rest)) - 1);
}

const monthDays = (year, month) => new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
const monthOf = (day) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
export const monthsLater = (day, months) => inMonth(monthOf(day) + months, Number(day.slice(8, 10)));

export function date(year, month, day) {
  if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month - 1)) return null;
  return inMonth(year * 12 + month - 1, day);
}

export function period(day, unit, shift, end, fiscalStart = 1) {
  if (unit === "week") return dayOf(dayNumber(day) - weekday(day) + 7 * shift + 6 * end);
  const months = { month: 1, quarter: 3, year: 12, fiscal_quarter: 3, fiscal_year: 12 }[unit];
  if (!months) return null;
  const before = unit.startsWith("fiscal_") ? fiscalStart - 1 : 0;
  const first = Math.floor((monthOf(day) - before) / months) * months + before + months * shift;
  return end ? inMonth(first + months - 1, 31) : inMonth(first, 1);
}

export function within(here, day, unit, shift) {
  const [first, end] = [0, 1].map((side) => period(here.today, unit, shift, side, here.fiscalStart));
  return day !== null && first !== null && end !== null && first <= day && day <= end;
}

/** Whether the day is in one of so many periods after that of today (`way` 1) or before it (-1). */
export function isWithin(here, day, unit, number, way) {
  if (day === null || number === null) return false;
  const near = period(here.today, unit, way, way < 0 ? 1 : 0, here.fiscalStart);
  const far = period(here.today, unit, way * count(number), way < 0 ? 0 : 1, here.fiscalStart);
  if (near === null || far === null) return false;
  return way > 0 ? near <= day && day <= far : far <= day && day <= near;
}

/** The fiscal year of a day, named after the year in which it ends, and its quarter. */
export function fiscal({ fiscalStart }, day) {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))];
  const after = fiscalStart > 1 && month >= fiscalStart ? 1 : 0;
  return [year + after, Math.floor(((month - fiscalStart + 12) % 12) / 3) + 1];
}

/** The most months that can be added to the first day and not be after the last. */
export function monthsBetween(first, last) {
  if (first > last) return -monthsBetween(last, first);
  const [month, day] = [monthOf(last), Number(last.slice(8, 10))];
  const wanted = Math.min(Number(first.slice(8, 10)), monthDays(Math.floor(month / 12), month % 12));
  return month - monthOf(first) - (day < wanted ? 1 : 0);
}

/** Of a moment, or of milliseconds; null outside the years that a date can have. */
function momentText(milliseconds) {
  const found = new Date(milliseconds);
  const year = found.getUTCFullYear(); // NaN beyond what JavaScript knows
  return year >= 1000 && year <= 9999 ? found.toISOString() : null;
}

/** Year, month, day, hour, minute, second, in UTC. */
export function moment([year, month = 1, day = 1, hour = 0, minute = 0, second = 0]) {
  const isClock = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
  const found = isClock ? date(year, month, day) : null;
  return found && momentText(Date.parse(`${found}T00:00:00Z`) + ((hour * 60 + minute) * 60 + second) * 1000);
}

const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|([+-])(\d{2}):(\d{2}))?)?$/;

/** A date with a time, if wanted, in UTC unless it says otherwise; to the millisecond. */
export function momentOf(written) {
  const [, ...parts] = MOMENT.exec(written) ?? [];
  if (!parts.length) return null;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part) => Number(part ?? 0));
  const [fraction = "", way, hours = "0", minutes = "0"] = parts.slice(6);
  const isClock = hour <= 23 && minute <= 59 && second <= 59 && Number(hours) <= 23 && Number(minutes) <= 59;
  const start = Date.UTC(2000, month - 1, day, hour, minute, second, Number(fraction.padEnd(3, "0").slice(0, 3)));
  if (!isClock || year < 1 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month - 1)) return null;
  const found = new Date(start);
  // Date.UTC takes years before 100 for others; 2000 has every day that there is.
  found.setUTCFullYear(year, month - 1, day);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return momentText(found.getTime() + (way === "-" ? offset : -offset));
}

export const hoursBetween = (first, last) =>
  arithmetic("/", whole(Date.parse(last) - Date.parse(first)), whole(3_600_000));

export function hoursLater(moment, hours) {
  const milliseconds = divided(hours * 3_600_000n, UNIT);
  if (abs(milliseconds) > 400_000_000_000_000n) return null;
  return momentText(Date.parse(moment) + Number(milliseconds));
}

/** Hour and minute of a time, or of a moment in a time zone. */
export function clock(moment, zone) {
  if (moment.length < 20) return moment.split(":").slice(0, 2).map(Number);
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", hour: "numeric", minute: "numeric" });
  return format.formatToParts(new Date(moment)).filter((part) => part.type !== "literal").map((part) => Number(part.value));
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A date, or a date and time in the zone, as a pattern such as "dd.MM.yyyy" says; of that the first 100 characters. */
export function dateText(moment, pattern, zone) {
  const isDay = moment.length === 10;
  const [year, month, day] = (isDay ? moment : dateOf(moment, zone)).split("-");
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const [hour, minute, second] = isDay ? ["00", "00", "00"] : format.format(new Date(moment)).split(":");
  const parts = { yyyy: year, yy: year.slice(-2), MMM: MONTHS[month - 1], MM: month, dd: day, HH: hour, mm: minute, ss: second };
  const found = Object.entries(parts).reduce((text, [sign, part]) => text.replaceAll(sign, part), letters(pattern).slice(0, 100).join(""));
  return found === "" ? null : found;
}

const IN_ADDRESS = [[" ", "%20"], ["(", "%28"], [")", "%29"], ["<", "%3C"], [">", "%3E"], ["\\", "%5C"], ["\n", "%0A"]];
const IN_LABEL = [["\\", "\\\\"], ["[", "\\["], ["]", "\\]"], ["\n", " "]];
const LINK_MOST = 2000;

/** A link in Markdown. */
export function hyperlink(address, label) {
  const made = (value, pairs) => pairs.reduce((found, [sign, other]) => found.replaceAll(sign, () => other), letters(value).slice(0, LINK_MOST).join(""));
  return `[${made(label, IN_LABEL)}](${made(address, IN_ADDRESS)})`;
}

export function isNear(here, day, days, way) {
  if (day === null || days === null) return false;
  const [near, far] = [1, count(days)].map((step) => daysLater(here.today, way * step));
  if (near === null || far === null) return false;
  return way > 0 ? near <= day && day <= far : far <= day && day <= near;
}

export function workdaysBefore(day) {
  const days = dayNumber(day);
  return Math.floor(days / 7) * 5 + Math.min(days % 7, 5);
}

/** The date of a moment in a time zone. */
export function dateOf(moment, zone) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit" };
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, calendar: "gregory", ...parts });
  const found = Object.fromEntries(format.formatToParts(new Date(moment)).map((part) => [part.type, part.value]));
  return `${found.year}-${found.month}-${found.day}`;
}

/** The value of a record's field; `kind` "number" makes it exact. */
export function read(record, path, kind) {
  const found = record === null ? null : filled(record instanceof Line ? record.value(path) : record[path]);
  return kind === "number" ? number(found) : found;
}

/** A value of structured data: of a record it may come as text. */
function parsed(value) {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

const named = (value, name) => (value && typeof value === "object" && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : null);

export function part(value, name) {
  const found = /^[A-Za-z0-9_]+$/.test(name) ? named(parsed(value), name) : null;
  return typeof found === "string" ? filled(found) : null;
}

const RADIUS_KM = 6371.0088;
const RADIAN = 0.017453292519943295;

/** As plugins/base/functions/distance.py, step by step. */
export function distance(one, other) {
  const sides = [one, other].map(parsed).flatMap((value) => [["latitude", 90], ["longitude", 180]].map(([name, most]) => {
    const degrees = named(value, name);
    return typeof degrees === "number" && Math.abs(degrees) <= most ? degrees * RADIAN : null;
  }));
  if (sides.includes(null)) return null;
  const [lat1, lon1, lat2, lon2] = sides;
  const { sin, cos } = Math;
  const turn = lon2 - lon1;
  const x = cos(lat2) * sin(turn);
  const y = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(turn);
  const z = sin(lat1) * sin(lat2) + cos(lat1) * cos(lat2) * cos(turn);
  const far = RADIUS_KM * Math.atan2(Math.sqrt(x * x + y * y), z);
  return BigInt(Math.floor(far * 1000 + 0.5)) * 10n ** BigInt(PLACES - 3);
}

/** A line's values; behind its reference to the record those of the record, as `parent.` reads them. */
class Line {
  constructor(values, record, start, by) {
    Object.assign(this, { values, record, start, by: `${by}.` });
  }

  value(path) {
    if (path.startsWith(this.by)) return read(this.record, this.start + path.slice(this.by.length));
    if (/^(config|record)\./.test(path) && !(path in this.values)) return read(this.record, path);
    return this.values[path];
  }
}

/** COUNT, SUM, … of the records at `steps`; `inner` is a function of one of them, or null for all. */
export function aggregate(op, record, steps, by, inner) {
  const lines = read(record, steps.join(".")) ?? [];
  const start = steps.slice(0, -1).map((step) => `${step}.`).join("");
  const values = lines.map((line) => (inner === null ? true : inner(new Line(line, record, start, by))));
  if (op === "COUNT") return whole(values.filter((value) => value === true).length);
  const there = values.filter((value) => value !== null);
  if (op === "HIGHEST" || op === "LOWEST") return extreme(there, op === "HIGHEST" ? 1 : -1);
  const total = there.reduce((sum, value) => sum + value, 0n);
  if (op === "SUM") return total;
  return there.length ? divided(total, BigInt(there.length)) : null;
}

/** `path` holds the ids of a record and of all above it in its tree. */
export const inTree = (record, path, root) => root !== null && (read(record, path) ?? []).includes(root);

/** As a column of that scale holds a number: rounded, blank where it has no room. */
export function fitted(value, scale) {
  if (value === null) return null;
  const found = round(value, scale);
  return abs(found) < 10n ** BigInt(18 - scale) * UNIT ? found : null;
}

let left = 0;

/** Before a formula: it may read and make so many characters, as in engine/formula/work.py. */
export function begin() {
  left = CHARACTERS_MAX;
}

function counting(value, weight = 1) {
  if (typeof value === "string" && (weight > 1 || value.length > 200))
    left -= weight === 1 ? value.length : Math.min(value.length, REGEX_MAX) * weight;
  if (left < 0) throw new RangeError("the formula reads and makes too much text");
  return value;
}

/** A function of texts. */
export function counted(weight, isStrict, args, call) {
  if (isStrict && args.includes(null)) return null;
  args.forEach((value, at) => counting(value, at === 0 ? weight : 1));
  return counting(filled(call(...args)));
}

export const isIn = (item, options) => options.some((option) => same(item, option));
export const strict = (args, call) => (args.includes(null) ? null : filled(call(...args)));
